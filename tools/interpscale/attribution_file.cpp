// SPDX-License-Identifier: Apache-2.0
#include "interpscale/attribution_file.hpp"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "interpscale/data/atomic_file.hpp"
#include "interpscale/data/safetensors.hpp"

namespace interpscale::tool {
namespace {

template <class T>
Result<void> write_csv(const AttributionTable<T>& table, const std::filesystem::path& path) {
  data::AtomicFile file(path);
  file.write(fmt::format("layer,neuron,{}\n", fmt::join(table.columns, ",")));
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    file.write(fmt::format("{},{},{}\n", table.rows[i].layer, table.rows[i].neuron,
                           fmt::join(table.values.row(i), ",")));
  }
  return file.keep();
}

/// JSON has no word for what is not finite.
template <class T>
std::string json_number(T value) {
  return std::isfinite(value) ? fmt::format("{}", value) : std::string("null");
}

template <class T>
Result<void> write_json(const AttributionTable<T>& table, const std::filesystem::path& path) {
  data::AtomicFile file(path);
  file.write(fmt::format("{{\"method\": {}, \"columns\": {}, \"rows\": [",
                         nlohmann::json(table.method).dump(),
                         nlohmann::json(table.columns).dump()));
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    std::string values;
    for (const T value : table.values.row(i)) {
      values += (values.empty() ? "" : ", ") + json_number(value);
    }
    file.write(fmt::format("{}\n{{\"layer\": {}, \"neuron\": {}, \"values\": [{}]}}",
                           i == 0 ? "" : ",", table.rows[i].layer, table.rows[i].neuron, values));
  }
  file.write("\n]}\n");
  return file.keep();
}

}  // namespace

Result<void> check_attribution_path(const std::filesystem::path& path) {
  const std::string extension = path.extension().string();
  if (extension != ".safetensors" && extension != ".csv" && extension != ".json") {
    return fail("{}: found the extension '{}', wanted .safetensors, .csv or .json", path.string(),
                extension);
  }
  return {};
}

template <class T>
Result<void> write_attribution(const AttributionTable<T>& table,
                               const std::filesystem::path& path) {
  if (path.extension() == ".csv") {
    return write_csv(table, path);
  }
  if (path.extension() == ".json") {
    return write_json(table, path);
  }
  return data::save_matrix<T>("attribution", table.values, path);
}

template Result<void> write_attribution<float>(const AttributionTable<float>&,
                                               const std::filesystem::path&);
template Result<void> write_attribution<double>(const AttributionTable<double>&,
                                                const std::filesystem::path&);

}  // namespace interpscale::tool
