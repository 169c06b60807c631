// SPDX-License-Identifier: Apache-2.0
#include "study/expand_subjects.hpp"

#include <algorithm>

#include "interpscale/methods/registry.hpp"

namespace interpscale::study {

std::vector<SubjectName> all_subjects() {
  std::vector<SubjectName> subjects;
  for (const std::string& pass : pass_names()) {
    subjects.push_back({pass, ""});
  }
  for (const methods::MethodSpec& method : methods::all_methods()) {
    for (const methods::Variant& variant : method.variants) {
      subjects.push_back({method.name, variant.name});
    }
  }
  return subjects;
}

Result<std::vector<SubjectName>> subjects_of(const Plan& plan) {
  const std::vector<SubjectName> known = all_subjects();
  if (plan.subjects.empty()) {
    return known;
  }
  std::vector<SubjectName> chosen;
  for (const std::string& wanted : plan.subjects) {
    const std::size_t before = chosen.size();
    bool repeated = false;
    for (const SubjectName& subject : known) {
      if (wanted == subject.text() || wanted == subject.subject) {
        if (std::find(chosen.begin(), chosen.end(), subject) == chosen.end()) {
          chosen.push_back(subject);
        } else {
          repeated = true;
        }
      }
    }
    if (chosen.size() == before && !repeated) {
      std::vector<std::string> names;
      for (const SubjectName& subject : known) {
        names.push_back(subject.text());
      }
      return fail("subject '{}' is unknown; known are {}", wanted, fmt::join(names, ", "));
    }
  }
  return chosen;
}

}  // namespace interpscale::study
