// SPDX-License-Identifier: Apache-2.0
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

}  // namespace interpscale::methods
