// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/history.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>
#include <system_error>

#include "interpscale/measure/journal.hpp"
#include "interpscale/regression/render.hpp"
#include "interpscale/scaling/statistics.hpp"

namespace interpscale::regression {
namespace {

using Json = nlohmann::ordered_json;
namespace fs = std::filesystem;

constexpr int kSchema = 1;

/// Lower case, runs of anything but letters and digits as single dashes.
std::string slug(const std::string& text) {
  std::string slugged;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) {
      slugged += static_cast<char>(std::tolower(byte));
    } else if (!slugged.empty() && slugged.back() != '-') {
      slugged += '-';
    }
  }
  while (!slugged.empty() && slugged.back() == '-') {
    slugged.pop_back();
  }
  return slugged;
}

Json to_json(const HistoryLine& line) {
  Json cells = Json::array();
  for (const HistoryCell& cell : line.cells) {
    cells.push_back({{"name", cell.name},
                     {"seconds", cell.seconds},
                     {"spread", cell.spread},
                     {"rounds", cell.rounds}});
  }
  return {{"schema", kSchema},
          {"revision", line.revision},
          {"date", line.date},
          {"machine",
           {{"cpu", line.machine.cpu},
            {"cores", line.machine.cores},
            {"simd_target", line.machine.simd_target},
            {"backend", line.machine.backend},
            {"threads", line.machine.threads}}},
          {"cells", cells}};
}

HistoryLine line_from(const Json& json) {
  HistoryLine line;
  line.revision = json.at("revision");
  line.date = json.at("date");
  const Json& machine = json.at("machine");
  line.machine = {.cpu = machine.at("cpu"),
                  .cores = machine.at("cores"),
                  .simd_target = machine.at("simd_target"),
                  .backend = machine.at("backend"),
                  .threads = machine.at("threads"),
                  .host = {}};
  for (const Json& cell : json.at("cells")) {
    line.cells.push_back(
        {cell.at("name"), cell.at("seconds"), cell.at("spread"), cell.at("rounds")});
    if (!(line.cells.back().seconds > 0)) {
      throw std::invalid_argument(fmt::format("cell '{}': found {} seconds, wanted a positive time",
                                              line.cells.back().name, line.cells.back().seconds));
    }
  }
  return line;
}

HistoryLine line_of(const ResultSet& results, const std::string& revision) {
  HistoryLine line{revision, results.date, results.machine, {}};
  for (const scaling::Observation& cell : results.cells) {
    const double median = scaling::median(cell.rounds);
    line.cells.push_back(
        {cell.name, median, scaling::mad(cell.rounds) / median, cell.rounds.size()});
  }
  return line;
}

/// Distance in time of a log.
double relative_change(const scaling::ChangePoint& change) {
  return std::abs(std::log(change.after / change.before));
}

}  // namespace

fs::path history_file(const fs::path& folder, const Machine& machine) {
  return folder / fmt::format("{}-{}c-{}-{}t.jsonl", slug(machine.cpu), machine.cores,
                              slug(machine.simd_target), std::max(machine.threads, 1));
}

Result<std::vector<HistoryLine>> read_history(const fs::path& file) {
  const Result<std::vector<Json>> records = measure::read_journal(file);
  if (!records) {
    return tl::unexpected(records.error());
  }
  std::vector<HistoryLine> lines;
  std::set<std::string> revisions;
  for (const Json& record : *records) {
    const std::size_t number = lines.size() + 1;
    if (record.value("schema", 0) != kSchema) {
      return fail("{}:{}: 'schema': found {}, wanted {}", file.string(), number,
                  record.value("schema", 0), kSchema);
    }
    try {
      lines.push_back(line_from(record));
    } catch (const std::exception& problem) {
      return fail("{}:{}: not a line of history: {}", file.string(), number, problem.what());
    }
    if (!revisions.insert(lines.back().revision).second) {
      return fail("{}:{}: a second line of revision {}", file.string(), number,
                  lines.back().revision);
    }
  }
  return lines;
}

Result<bool> append_history(const fs::path& folder, const ResultSet& results,
                            const std::string& revision) {
  if (revision.empty() || revision.find("unknown") != std::string::npos ||
      revision.find("with changes") != std::string::npos) {
    return fail(
        "{}: its revision is '{}', wanted that of a clean work tree: name it with "
        "--revision",
        results.source, revision);
  }
  if (results.machine.cpu.empty() || results.machine.simd_target.empty()) {
    return fail("{}: does not say on which CPU and SIMD target it was measured", results.source);
  }
  std::error_code error;
  fs::create_directories(folder, error);
  const fs::path file = history_file(folder, results.machine);
  if (fs::exists(file, error)) {
    const Result<std::vector<HistoryLine>> lines = read_history(file);
    if (!lines) {
      return tl::unexpected(lines.error());
    }
    if (std::any_of(lines->begin(), lines->end(),
                    [&revision](const HistoryLine& line) { return line.revision == revision; })) {
      return false;
    }
  }
  Result<measure::Journal> journal = measure::Journal::open(file);
  if (!journal) {
    return tl::unexpected(journal.error());
  }
  return journal->append(to_json(line_of(results, revision))).map([] { return true; });
}

std::vector<HistorySeries> history_series(const std::vector<HistoryLine>& lines, double threshold) {
  std::vector<HistorySeries> all;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    for (const HistoryCell& cell : lines[i].cells) {
      auto series = std::find_if(all.begin(), all.end(), [&cell](const HistorySeries& other) {
        return other.name == cell.name;
      });
      if (series == all.end()) {
        series = all.insert(all.end(), HistorySeries{cell.name, {}, {}, {}});
      }
      series->lines.push_back(i);
      series->seconds.push_back(cell.seconds);
    }
  }
  for (HistorySeries& series : all) {
    std::vector<double> logs;
    for (const double seconds : series.seconds) {
      logs.push_back(std::log(seconds));
    }
    for (scaling::ChangePoint change : scaling::change_points(logs, {})) {
      change.before = std::exp(change.before);
      change.after = std::exp(change.after);
      if (relative_change(change) >= std::log1p(threshold)) {
        series.changes.push_back(change);
      }
    }
  }
  return all;
}

Json to_json(const std::vector<HistoryLine>& lines, const std::vector<HistorySeries>& all) {
  Json revisions = Json::array();
  for (const HistoryLine& line : lines) {
    revisions.push_back({{"revision", line.revision}, {"date", line.date}});
  }
  Json list = Json::array();
  for (const HistorySeries& series : all) {
    Json points = Json::array();
    for (std::size_t i = 0; i < series.lines.size(); ++i) {
      points.push_back({{"line", series.lines[i]}, {"seconds", series.seconds[i]}});
    }
    Json changes = Json::array();
    for (const scaling::ChangePoint& change : series.changes) {
      changes.push_back({{"line", series.lines[change.index]},
                         {"revision", lines[series.lines[change.index]].revision},
                         {"before", change.before},
                         {"after", change.after},
                         {"p_value", change.p_value}});
    }
    list.push_back({{"name", series.name}, {"points", points}, {"changes", changes}});
  }
  return {{"kind", "history"}, {"revisions", revisions}, {"series", list}};
}

std::string to_text(const std::vector<HistoryLine>& lines, const std::vector<HistorySeries>& all) {
  std::string text = fmt::format("{} revisions, {} cells\n", lines.size(), all.size());
  std::size_t count = 0;
  for (const HistorySeries& series : all) {
    for (const scaling::ChangePoint& change : series.changes) {
      ++count;
      text += fmt::format("{}: {} became {} ({:+.1f} %, p = {:.3f}) with revision {}\n",
                          series.name, quantity_text(Metric::kTime, change.before),
                          quantity_text(Metric::kTime, change.after),
                          100 * (change.after / change.before - 1), change.p_value,
                          lines[series.lines[change.index]].revision);
    }
  }
  return text + (count == 0 ? "no change points\n" : "");
}

}  // namespace interpscale::regression
