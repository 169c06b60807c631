// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "interpscale/methods/spec.hpp"

namespace interpscale::methods {

std::string_view name_of(Columns columns) {
  switch (columns) {
    case Columns::kScore:
      return "score";
    case Columns::kStatistics:
      return "statistics";
    case Columns::kSamples:
      return "samples";
    case Columns::kInputs:
      return "inputs";
    case Columns::kNeurons:
      return "neurons";
    case Columns::kExamples:
      return "examples";
    case Columns::kClasses:
      return "classes";
    case Columns::kCluster:
      break;
  }
  return "cluster";
}

std::vector<std::string> MethodSpec::names(const Problem& problem) const {
  if (column_names) {
    return column_names(problem);
  }
  if (columns == Columns::kStatistics) {
    return statistics;
  }
  if (columns == Columns::kScore || columns == Columns::kCluster) {
    return {std::string(name_of(columns))};
  }
  std::string_view singular = name_of(columns);  // "samples" -> "sample", "classes" -> "class"
  singular.remove_suffix(columns == Columns::kClasses ? 2 : 1);
  std::vector<std::string> result;
  for (std::size_t k = 0; k < column_count(problem); ++k) {
    result.push_back(fmt::format("{}_{}", singular, k));
  }
  return result;
}

}  // namespace interpscale::methods
