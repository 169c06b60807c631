// SPDX-License-Identifier: Apache-2.0
#include "interpscale/fit_loss.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "interpscale/data/csv.hpp"
#include "interpscale/scaling/loss_law.hpp"
#include "interpscale/terminal.hpp"

namespace interpscale::tool {
namespace {

using Json = nlohmann::ordered_json;
using scaling::LossFit;
using scaling::LossPoint;

Result<std::vector<LossPoint>> read_points(const std::string& path, const LossColumns& columns) {
  const Result<data::CsvTable> table = data::CsvTable::read(path);
  if (!table) {
    return tl::unexpected(table.error());
  }
  std::vector<LossPoint> points(table->rows());
  const auto fill = [&](const std::string& column, double LossPoint::*member) -> Result<void> {
    const Result<std::vector<double>> values = table->positive_numbers(column);
    if (!values) {
      return tl::unexpected(values.error());
    }
    for (std::size_t i = 0; i < points.size(); ++i) {
      points[i].*member = (*values)[i];
    }
    return {};
  };
  const bool has_flop = !columns.flop.empty();
  std::vector<std::pair<std::string, double LossPoint::*>> wanted{
      {columns.parameters, &LossPoint::parameters}, {columns.loss, &LossPoint::loss}};
  if (has_flop || !columns.data.empty()) {
    wanted.emplace_back(has_flop ? columns.flop : columns.data, &LossPoint::data);
  }
  for (const auto& [column, member] : wanted) {
    if (const Result<void> filled = fill(column, member); !filled) {
      return tl::unexpected(filled.error());
    }
  }
  if (has_flop) {
    for (LossPoint& point : points) {
      point.data /= 6 * point.parameters;
    }
  }
  return points;
}

/// One number of the law as it is printed.
struct Row {
  const char* name;
  double value;
  double standard_error;
  scaling::Interval interval;
};

std::vector<Row> rows_of(const LossFit& fit, bool with_data) {
  const scaling::LossLaw& law = fit.law;
  const scaling::LossLaw& errors = fit.standard_errors;
  const scaling::LossLawIntervals& intervals = fit.intervals;
  std::vector<Row> rows{
      {"E", law.irreducible, errors.irreducible, intervals.irreducible},
      {"A", law.parameters_coefficient, errors.parameters_coefficient,
       intervals.parameters_coefficient},
      {"B", law.data_coefficient, errors.data_coefficient, intervals.data_coefficient},
      {"alpha", law.parameters_exponent, errors.parameters_exponent, intervals.parameters_exponent},
      {"beta", law.data_exponent, errors.data_exponent, intervals.data_exponent},
      {"exponent_n", fit.optimal_exponent, fit.optimal_exponent_standard_error,
       fit.optimal_exponent_interval}};
  if (!with_data) {
    std::erase_if(rows, [](const Row& row) {
      const std::string_view name = row.name;
      return name == "B" || name == "beta" || name == "exponent_n";
    });
  }
  return rows;
}

Json number(double value) {
  return std::isfinite(value) ? Json(value) : Json(nullptr);
}

/// Of a law of N alone, what concerns D is null.
Json to_json(const LossFit& fit, const std::vector<Row>& rows) {
  Json json;
  for (const char* key : {"E", "A", "B", "alpha", "beta", "objective", "exponent_n"}) {
    json[key] = nullptr;
  }
  Json errors = Json::object();
  Json intervals = Json::object();
  for (const Row& row : rows) {
    json[row.name] = number(row.value);
    errors[row.name] = number(row.standard_error);
    intervals[row.name] = Json::array({number(row.interval.low), number(row.interval.high)});
  }
  json["objective"] = number(fit.objective);
  json["standard_errors"] = errors;
  json["intervals"] = intervals;
  return json;
}

void print_text(const LossFit& fit, const std::vector<Row>& rows, std::size_t points,
                bool with_data) {
  fmt::print("{}, {} runs\n\n{:<11}{:>13}{:>16}   {}\n",
             with_data ? "L(N, D) = E + A N^-alpha + B D^-beta" : "L(N) = E + A N^-alpha", points,
             "", "value", "standard error", "95 % interval");
  for (const Row& row : rows) {
    const std::string_view name = row.name;
    fmt::print("{:<11}{:>13.6g}{:>16.3g}   [{:.4g}, {:.4g}]\n", name == "exponent_n" ? "a" : name,
               row.value, row.standard_error, row.interval.low, row.interval.high);
  }
  fmt::print("\nobjective  {:.9g} (sum of Huber losses of log residuals, delta {:g})\n",
             fit.objective, scaling::LossFitOptions{}.huber_delta);
  if (with_data) {
    fmt::print("a = beta / (alpha + beta): the best N for C FLOPs grows as C^a\n");
  }
}

}  // namespace

int fit_loss_file(const std::string& path, const LossColumns& columns, bool json) {
  const Result<std::vector<LossPoint>> points = read_points(path, columns);
  if (!points) {
    return fail_with(points.error(), kBadInput);
  }
  const bool with_data = !columns.flop.empty() || !columns.data.empty();
  const Result<LossFit> fit = with_data ? scaling::fit_loss_of_parameters_and_data(*points)
                                        : scaling::fit_loss_of_parameters(*points);
  if (!fit) {
    return fail_with(Error{fmt::format("{}: {}", path, fit.error().message)}, kBadInput);
  }
  const std::vector<Row> rows = rows_of(*fit, with_data);
  if (json) {
    fmt::print("{}\n", to_json(*fit, rows).dump(2));
  } else {
    print_text(*fit, rows, points->size(), with_data);
  }
  return kDone;
}

}  // namespace interpscale::tool
