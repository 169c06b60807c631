// The first stage of a study: its networks.
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "study/networks.hpp"
#include "study/networks_data.hpp"
#include "study/run_parallel.hpp"
#include "study/run_state.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;

bool file_exists(const fs::path& path) {
  std::error_code error;
  return fs::exists(path, error);
}

/// Networks without a record, largest first. A record without its file is an error.
Result<std::vector<nn::Topology>> missing_networks(const RunState& state) {
  std::set<std::string> trained;
  for (const NetworkRecord& record : state.journal.networks) {
    const fs::path path = network_file(state.options.folder, record.topology);
    if (!file_exists(path)) {
      return fail(
          "{}: is gone, but the journal says that it was trained; put it back, or start a "
          "new study in another folder",
          path.string());
    }
    trained.insert(record.topology);
  }
  std::vector<nn::Topology> missing;
  for (const nn::Topology& topology : state.expansion.topologies) {
    if (!trained.contains(topology.name())) {
      missing.push_back(topology);
    }
  }
  std::stable_sort(
      missing.begin(), missing.end(),
      [](const nn::Topology& a, const nn::Topology& b) { return a.parameters() > b.parameters(); });
  return missing;
}

/// The data for every number of inputs that some network or batch file still needs.
Result<std::map<std::size_t, data::Split>> load_data(const RunState& state,
                                                     const std::vector<nn::Topology>& missing) {
  std::set<std::size_t> inputs;
  for (const nn::Topology& topology : missing) {
    inputs.insert(topology.inputs);
  }
  for (const nn::Topology& topology : state.expansion.topologies) {
    if (!file_exists(batch_file(state.options.folder, topology.inputs))) {
      inputs.insert(topology.inputs);
    }
  }
  std::map<std::size_t, data::Split> splits;
  if (inputs.empty()) {
    return splits;
  }
  const Result<StudyData> data = StudyData::open(state.journal.plan);
  if (!data) {
    return tl::unexpected(data.error());
  }
  for (const std::size_t count : inputs) {
    Result<data::Split> split = data->with_inputs(count);
    if (!split) {
      return tl::unexpected(split.error());
    }
    splits.emplace(count, std::move(*split));
  }
  return splits;
}

Result<void> write_batches(const RunState& state,
                           const std::map<std::size_t, data::Split>& splits) {
  for (const auto& [inputs, split] : splits) {
    const data::Batch batch = study_batch(split.test, state.journal.plan);
    if (const Result<void> saved = save_batch(batch, batch_file(state.options.folder, inputs));
        !saved) {
      return saved;
    }
  }
  return {};
}

}  // namespace

Result<void> make_networks(RunState& state) {
  const fs::path folder = state.options.folder / "networks";
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return fail("{}: cannot be made: {}", folder.string(), error.message());
  }
  const Result<std::vector<nn::Topology>> missing = missing_networks(state);
  if (!missing) {
    return tl::unexpected(missing.error());
  }
  state.report("loading data", state.journal.plan.data);
  const Result<std::map<std::size_t, data::Split>> splits = load_data(state, *missing);
  if (!splits) {
    return tl::unexpected(splits.error());
  }
  if (Result<void> written = write_batches(state, *splits); !written) {
    return written;
  }
  return for_each_in_parallel(
      missing->size(), worker_count(),
      [&](std::size_t i) {
        const nn::Topology& topology = (*missing)[i];
        return train_network(topology, splits->at(topology.inputs), state.journal.plan,
                             state.options.folder);
      },
      [&](NetworkRecord record) -> Result<void> {
        if (Result<void> written = state.out.append(to_json(record)); !written) {
          return written;
        }
        const auto topology =
            std::find_if(missing->begin(), missing->end(),
                         [&](const nn::Topology& t) { return t.name() == record.topology; });
        state.done_seconds += expected_network_seconds(*topology, state.journal.plan);
        state.report("training networks", record.topology);
        state.journal.networks.push_back(std::move(record));
        return {};
      });
}

}  // namespace interpscale::study
