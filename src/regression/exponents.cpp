// SPDX-License-Identifier: Apache-2.0
#include "regression/exponents.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "regression/judge.hpp"

namespace interpscale::regression {
namespace {

constexpr std::size_t kFewestSizes = 3;

struct Family {
  std::string name;
  std::vector<const SizedRatio*> cells;
};

std::vector<Family> families_of(std::span<const SizedRatio> cells) {
  std::vector<Family> families;
  for (const SizedRatio& cell : cells) {
    if (cell.parameters <= 0 || cell.name.find("/w:") == std::string::npos) {
      continue;
    }
    const std::string name = family_of(cell.name);
    auto at = std::find_if(families.begin(), families.end(),
                           [&name](const Family& family) { return family.name == name; });
    if (at == families.end()) {
      families.push_back({name, {}});
      at = families.end() - 1;
    }
    at->cells.push_back(&cell);
  }
  return families;
}

std::size_t distinct_sizes(const Family& family) {
  std::set<double> sizes;
  for (const SizedRatio* cell : family.cells) {
    sizes.insert(cell->parameters);
  }
  return sizes.size();
}

/// The weights whose sum with values is their least-squares slope in log N.
std::vector<double> slope_weights(const Family& family) {
  const auto count = static_cast<double>(family.cells.size());
  double mean = 0;
  for (const SizedRatio* cell : family.cells) {
    mean += std::log(cell->parameters) / count;
  }
  double squares = 0;
  for (const SizedRatio* cell : family.cells) {
    squares += std::pow(std::log(cell->parameters) - mean, 2);
  }
  std::vector<double> weights;
  for (const SizedRatio* cell : family.cells) {
    weights.push_back((std::log(cell->parameters) - mean) / squares);
  }
  return weights;
}

LogRatio slope_of(const Family& family) {
  const std::vector<double> weights = slope_weights(family);
  LogRatio slope;
  double variance = 0;
  double spread_of_variance = 0;
  double fewest = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const LogRatio& ratio = family.cells[i]->ratio;
    const double part = std::pow(weights[i] * ratio.standard_error, 2);
    slope.mean += weights[i] * ratio.mean;
    variance += part;
    spread_of_variance += part * part / ratio.degrees_of_freedom;
    fewest = i == 0 ? ratio.degrees_of_freedom : std::min(fewest, ratio.degrees_of_freedom);
  }
  slope.standard_error = std::sqrt(variance);
  slope.degrees_of_freedom =
      spread_of_variance > 0 ? variance * variance / spread_of_variance : fewest;
  return slope;
}

double base_slope(const Family& family) {
  const std::vector<double> weights = slope_weights(family);
  double slope = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    slope += weights[i] * std::log(family.cells[i]->base);
  }
  return slope;
}

}  // namespace

std::string family_of(const std::string& name) {
  std::string family;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string part = name.substr(begin, end - begin);
    const bool is_left_out = part.starts_with("w:") || part == "C:10" || part == "t:1" ||
                             part == "backend:simd" || part == "real_time";
    if (!is_left_out) {
      const bool is_key = part.find(':') != std::string::npos;
      family += (family.empty() ? "" : is_key ? " " : "/") + part;
    }
    begin = end + 1;
  }
  return family;
}

std::vector<ExponentComparison> compare_exponents(std::span<const SizedRatio> cells) {
  std::vector<ExponentComparison> exponents;
  std::vector<LogRatio> slopes;
  for (const Family& family : families_of(cells)) {
    const std::size_t sizes = distinct_sizes(family);
    if (sizes < kFewestSizes) {
      continue;
    }
    slopes.push_back(slope_of(family));
    ExponentComparison exponent;
    exponent.family = family.name;
    exponent.sizes = sizes;
    exponent.base = base_slope(family);
    exponent.candidate = exponent.base + slopes.back().mean;
    exponents.push_back(exponent);
  }
  const std::vector<Judgement> judgements = judge(slopes, kExponentThreshold, kFamilyLevel);
  for (std::size_t i = 0; i < exponents.size(); ++i) {
    exponents[i].difference = judgements[i].log_interval;
    exponents[i].alone = slopes[i].interval(kFamilyLevel);
    exponents[i].verdict = judgements[i].verdict;
  }
  return exponents;
}

}  // namespace interpscale::regression
