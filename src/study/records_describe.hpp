// The fields of every kind of record, in the order in which they are written.
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "interpscale/study/records.hpp"
#include "study/plan_describe.hpp"

namespace interpscale::measure {

using study::Described;

template <class Visitor, Described<Quantities> T>
void describe(Visitor& field, T& quantities) {
  field("parameters", quantities.parameters);
  field("neurons", quantities.neurons);
  field("batch", quantities.batch);
  field("inputs", quantities.inputs);
  field("flops", quantities.flops);
  field("bytes", quantities.bytes);
}

template <class Visitor, Described<Verification> T>
void describe(Visitor& field, T& verification) {
  field("deviation", verification.deviation);
  field("allowed", verification.allowed);
  field("compared", verification.compared);
}

template <class Visitor, Described<Cache> T>
void describe(Visitor& field, T& cache) {
  field("level", cache.level);
  field("bytes", cache.bytes);
}

template <class Visitor, Described<Environment> T>
void describe(Visitor& field, T& environment) {
  field("cpu", environment.cpu);
  field("cores", environment.cores);
  field("caches", environment.caches);
  field("memory_bytes", environment.memory_bytes);
  field("governor", environment.governor);
  field("operating_system", environment.operating_system);
  field("compiler", environment.compiler);
  field("flags", environment.flags);
  field("build_type", environment.build_type);
  field("benchmark_library", environment.benchmark_library);
  field("revision", environment.revision);
  field("dirty", environment.dirty);
  field("version", environment.version);
}

template <class Visitor, Described<MachineState> T>
void describe(Visitor& field, T& state) {
  field("time", state.time);
  field("load_1min", state.load_1min);
  field("steal_ticks", state.steal_ticks);
  field("total_ticks", state.total_ticks);
}

template <class Visitor, Described<Bandwidth> T>
void describe(Visitor& field, T& bandwidth) {
  field("level", bandwidth.level);
  field("bytes", bandwidth.bytes);
  field("bytes_per_second", bandwidth.bytes_per_second);
}

template <class Visitor, Described<Limits> T>
void describe(Visitor& field, T& limits) {
  field("simd_target", limits.simd_target);
  field("flops_per_second", limits.flops_per_second);
  field("bandwidths", limits.bandwidths);
}

}  // namespace interpscale::measure

namespace interpscale::experiments {

using study::Described;

template <class Visitor, Described<NamedValue> T>
void describe(Visitor& field, T& figure) {
  field("name", figure.name);
  field("value", figure.value);
}

template <class Visitor, Described<NamedSeries> T>
void describe(Visitor& field, T& series) {
  field("name", series.name);
  field("values", series.values);
}

template <class Visitor, Described<Outcome> T>
void describe(Visitor& field, T& record) {
  field("experiment", record.experiment);
  field("piece", record.piece);
  field("status", record.status);
  field("reason", record.reason);
  field("topology", record.topology);
  field("width", record.width);
  field("parameters", record.parameters);
  field("neurons", record.neurons);
  field("seed", record.seed);
  field("seconds", record.seconds);
  field("figures", record.figures);
  field("series", record.series);
}

}  // namespace interpscale::experiments

namespace interpscale::study {

template <class Visitor, Described<NetworkRecord> T>
void describe(Visitor& field, T& record) {
  field("topology", record.topology);
  field("loss_before", record.loss_before);
  field("loss_after", record.loss_after);
  field("test_accuracy", record.test_accuracy);
  field("seconds", record.seconds);
  field("active_share", record.active_share);
  field("active_pairs", record.active_pairs);
}

template <class Visitor, Described<CellRecord> T>
void describe(Visitor& field, T& record) {
  field("cell", record.cell);
  field("subject", record.subject);
  field("variant", record.variant);
  field("topology", record.topology);
  field("depth", record.depth);
  field("width", record.width);
  field("quantities", record.quantities);
  field("dense_flops", record.dense_flops);
  field("status", record.status);
  field("reason", record.reason);
  field("verification", record.verification);
}

template <class Visitor, Described<RoundRecord> T>
void describe(Visitor& field, T& record) {
  field("round", record.round);
  field("seed", record.seed);
  field("environment", record.environment);
  field("state", record.state);
  field("limits", record.limits);
  field("threads", record.threads);
  field("backend", record.backend);
  field("simd_target", record.simd_target);
  field("binding", record.binding);
  field("round_trip_nanoseconds", record.round_trip_nanoseconds);
}

template <class Visitor, Described<TimingRecord> T>
void describe(Visitor& field, T& record) {
  field("round", record.round);
  field("cell", record.cell);
  field("status", record.status);
  field("reason", record.reason);
  field("command", record.command);
  field("seconds", record.seconds);
  field("repetitions", record.repetitions);
  field("iterations", record.iterations);
  field("steal_share", record.steal_share);
  field.later("round_trips", record.round_trips);
}

template <class Visitor, Described<CallsRecord::Count> T>
void describe(Visitor& field, T& count) {
  field("kernel", count.kernel);
  field("count", count.count);
}

template <class Visitor, Described<CallsRecord> T>
void describe(Visitor& field, T& record) {
  field("cell", record.cell);
  field("calls", record.calls);
}

template <class Visitor, Described<KernelRecord> T>
void describe(Visitor& field, T& record) {
  field("round", record.round);
  field("kernel", record.kernel);
  field("status", record.status);
  field("reason", record.reason);
  field("seconds", record.seconds);
  field("flops_per_second", record.flops_per_second);
}

template <class Visitor, Described<CurvePoint> T>
void describe(Visitor& field, T& point) {
  field("steps", point.steps);
  field("samples", point.samples);
  field("flops", point.flops);
  field("seconds", point.seconds);
  field("loss", point.loss);
}

template <class Visitor, Described<TrainingRecord> T>
void describe(Visitor& field, T& record) {
  field("task", record.task);
  field("purpose", record.purpose);
  field("topology", record.topology);
  field("width", record.width);
  field("parameters", record.parameters);
  field("seed", record.seed);
  field("optimizer", record.optimizer);
  field("learning_rate", record.learning_rate);
  field("batch", record.batch);
  field("steps", record.steps);
  field("flops_per_step", record.flops_per_step);
  field("status", record.status);
  field("reason", record.reason);
  field("loss", record.loss);
  field("accuracy", record.accuracy);
  field("curve", record.curve);
}

template <class Visitor, Described<StepRecord> T>
void describe(Visitor& field, T& record) {
  field("round", record.round);
  field("task", record.task);
  field("topology", record.topology);
  field("width", record.width);
  field("status", record.status);
  field("reason", record.reason);
  field("seconds", record.seconds);
  field("repetitions", record.repetitions);
  field("iterations", record.iterations);
  field("steal_share", record.steal_share);
}

template <class Visitor, Described<LeftOut> T>
void describe(Visitor& field, T& record) {
  field("name", record.name);
  field("reason", record.reason);
}

}  // namespace interpscale::study
