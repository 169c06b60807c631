// SPDX-License-Identifier: Apache-2.0
#include "study/subjects/recorded_calls.hpp"

#include <memory>
#include <utility>

namespace interpscale::study {

Result<std::map<kernels::KernelCall, std::uint64_t>> record_calls(const CellRequest& request,
                                                                  const Setting& setting,
                                                                  SpecimenSource specimen) {
  kernels::CallRecorder recorder;
  Setting recording = setting;
  recording.recorder = &recorder;
  const Result<measure::Subject> subject = make_subject(request, recording, std::move(specimen));
  if (!subject) {
    return tl::unexpected(subject.error());
  }
  const Result<std::unique_ptr<measure::Timed>> timed = subject->prepare();
  if (!timed) {
    return tl::unexpected(timed.error());
  }
  (*timed)->run();
  recorder.clear();
  (*timed)->run();
  return recorder.calls();
}

}  // namespace interpscale::study
