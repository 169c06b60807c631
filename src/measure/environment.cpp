// Read from /proc and /sys; what a machine or container does not show is "unknown" or 0.
// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/environment.hpp"

#include <benchmark/benchmark.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "measure/build_info.hpp"

namespace interpscale::measure {
namespace {

constexpr const char* kUnknown = "unknown";

std::string or_unknown(std::string text) {
  return text.empty() ? kUnknown : text;
}

/// The first line of a file; empty if it cannot be read.
std::string first_line(const std::filesystem::path& path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return line;
}

/// The value after "key<blanks>:" or "key=" in the first line of `path` that starts with the key.
std::string value_of(const char* path, std::string_view key, char separator) {
  std::ifstream stream(path);
  for (std::string line; std::getline(stream, line);) {
    if (!line.starts_with(key)) {
      continue;
    }
    const std::size_t at = line.find(separator);
    if (at == std::string::npos) {
      continue;
    }
    const std::size_t begin = line.find_first_not_of(" \t\"", at + 1);
    const std::size_t end = line.find_last_not_of(" \t\"");
    return begin == std::string::npos ? "" : line.substr(begin, end - begin + 1);
  }
  return "";
}

/// "32K", "1024K", "32M" as the kernel writes them; 0 if it is none of these.
std::uint64_t parse_cache_size(const std::string& text) {
  std::istringstream stream(text);
  std::uint64_t size = 0;
  char unit = ' ';
  if (!(stream >> size)) {
    return 0;
  }
  stream >> unit;
  return unit == 'K' ? size << 10U : unit == 'M' ? size << 20U : size;
}

std::vector<Cache> read_caches() {
  const std::filesystem::path folder = "/sys/devices/system/cpu/cpu0/cache";
  std::vector<Cache> caches;
  for (int index = 0; std::filesystem::exists(folder / fmt::format("index{}", index)); ++index) {
    const std::filesystem::path entry = folder / fmt::format("index{}", index);
    std::istringstream level_text(first_line(entry / "level"));
    Cache cache{.level = 0, .bytes = parse_cache_size(first_line(entry / "size"))};
    level_text >> cache.level;
    if (first_line(entry / "type") != "Instruction" && cache.level > 0 && cache.bytes > 0) {
      caches.push_back(cache);
    }
  }
  std::sort(caches.begin(), caches.end(),
            [](const Cache& a, const Cache& b) { return a.level < b.level; });
  return caches;
}

std::uint64_t memory_bytes() {
  std::istringstream kibibytes(value_of("/proc/meminfo", "MemTotal", ':'));
  std::uint64_t size = 0;
  kibibytes >> size;
  return size << 10U;
}

std::string operating_system() {
  utsname kernel{};
  const std::string running =
      uname(&kernel) == 0 ? fmt::format("{} {}", kernel.sysname, kernel.release) : kUnknown;
  const std::string distribution = value_of("/etc/os-release", "PRETTY_NAME", '=');
  return distribution.empty() ? running : fmt::format("{}, {}", distribution, running);
}

/// Google Benchmark tells whether it was compiled with assertions only in the context of its JSON
/// report (`library_build_type`), so that is asked for it.
std::string benchmark_library() {
  benchmark::JSONReporter reporter;
  std::ostringstream report;
  reporter.SetOutputStream(&report);
  reporter.SetErrorStream(&report);
  reporter.ReportContext(benchmark::BenchmarkReporter::Context());
  const bool has_assertions =
      report.str().find("\"library_build_type\": \"debug\"") != std::string::npos;
  return fmt::format("Google Benchmark {}, built {} assertions",
                     or_unknown(build_info().benchmark_version),
                     has_assertions ? "with" : "without");
}

}  // namespace

Environment read_environment() {
  const BuildInfo build = build_info();
  Environment environment;
  environment.cpu = or_unknown(value_of("/proc/cpuinfo", "model name", ':'));
  environment.cores = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  environment.caches = read_caches();
  environment.memory_bytes = memory_bytes();
  environment.governor =
      or_unknown(first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"));
  environment.operating_system = operating_system();
  environment.compiler = or_unknown(build.compiler);
  environment.flags = or_unknown(build.flags);
  environment.build_type = or_unknown(build.build_type);
  environment.benchmark_library = benchmark_library();
  environment.revision = or_unknown(build.revision);
  environment.dirty = build.dirty;
  environment.version = or_unknown(build.version);
  return environment;
}

MachineState read_machine_state() {
  MachineState state;
  state.time = fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::time(nullptr)));
  std::istringstream load(first_line("/proc/loadavg"));
  load >> state.load_1min;
  // "cpu user nice system idle iowait irq softirq steal guest guest_nice"; the guests' ticks are
  // in user and nice already.
  constexpr int kSteal = 7;
  std::istringstream ticks(first_line("/proc/stat"));
  std::string label;
  ticks >> label;
  std::uint64_t value = 0;
  for (int column = 0; column <= kSteal && ticks >> value; ++column) {
    state.total_ticks += value;
    if (column == kSteal) {
      state.steal_ticks = value;
    }
  }
  return state;
}

double steal_share(const MachineState& before, const MachineState& after) {
  if (after.total_ticks <= before.total_ticks || after.steal_ticks <= before.steal_ticks) {
    return 0.0;
  }
  return static_cast<double>(after.steal_ticks - before.steal_ticks) /
         static_cast<double>(after.total_ticks - before.total_ticks);
}

}  // namespace interpscale::measure
