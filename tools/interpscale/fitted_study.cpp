// SPDX-License-Identifier: Apache-2.0
#include "interpscale/fitted_study.hpp"

#include <utility>

#include "interpscale/study/records.hpp"
#include "interpscale/study/run.hpp"

namespace interpscale::tool {

Result<study::StudyResult> fitted_study(const std::filesystem::path& path) {
  Result<study::StudyJournal> journal = study::read_study_journal(
      std::filesystem::is_directory(path) ? study::journal_file(path) : path);
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  Result<study::StudyResult> result = study::analyse(std::move(*journal), {});
  if (!result) {
    return fail("{}: {}", path.string(), result.error().message);
  }
  return result;
}

}  // namespace interpscale::tool
