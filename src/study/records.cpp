// Writing a study's records.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/study/records.hpp"

#include "study/records_describe.hpp"
#include "study/records_fields.hpp"

namespace interpscale::study {
namespace {

template <class Record>
Json record_of(std::string_view kind, const Record& record) {
  Json json;
  json["kind"] = kind;
  json.update(FieldWriter::encode(record));
  return json;
}

}  // namespace

Json study_record(const Plan& plan) {
  Json json;
  json["kind"] = "study";
  json["schema"] = kSchemaVersion;
  json["plan"] = to_json(plan);
  return json;
}

Json to_json(const NetworkRecord& record) {
  return record_of("network", record);
}
Json to_json(const CellRecord& record) {
  return record_of("cell", record);
}
Json to_json(const RoundRecord& record) {
  return record_of("round", record);
}
Json to_json(const TimingRecord& record) {
  return record_of("timing", record);
}
Json to_json(const LeftOut& record) {
  return record_of("left_out", record);
}
Json to_json(const CallsRecord& record) {
  return record_of("calls", record);
}
Json to_json(const KernelRecord& record) {
  return record_of("kernel", record);
}
Json to_json(const TrainingRecord& record) {
  return record_of("training", record);
}
Json to_json(const StepRecord& record) {
  return record_of("step", record);
}
Json to_json(const experiments::Outcome& record) {
  return record_of("experiment", record);
}

}  // namespace interpscale::study
