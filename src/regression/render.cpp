// SPDX-License-Identifier: Apache-2.0
#include "interpscale/regression/render.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <vector>

namespace interpscale::regression {
namespace {

std::string percent(double ratio) {
  return fmt::format("{:+.2f} %", 100 * (ratio - 1));
}

std::string change_text(const CellComparison& cell) {
  return fmt::format("{} [{}, {}]", percent(cell.ratio), percent(cell.interval.low),
                     percent(cell.interval.high));
}

std::string side_text(Metric metric, double value, double spread) {
  return metric == Metric::kInstructions
             ? quantity_text(metric, value)
             : fmt::format("{} +- {:.0f} %", quantity_text(metric, value), 100 * spread);
}

std::string verdict_text(const CellComparison& cell) {
  if (cell.verdict != Verdict::kInconclusive) {
    return std::string(name_of(cell.verdict));
  }
  return cell.rounds_needed > 0
             ? fmt::format("inconclusive ({} rounds of about {})", cell.rounds, cell.rounds_needed)
             : "inconclusive (at the threshold)";
}

std::string exponent_text(const ExponentComparison& exponent) {
  const std::string figures =
      fmt::format("{}: N^{:.2f} became N^{:.2f} over {} sizes, difference [{:+.2f}, {:+.2f}]",
                  exponent.family, exponent.base, exponent.candidate, exponent.sizes,
                  exponent.difference.low, exponent.difference.high);
  switch (exponent.verdict) {
    case Verdict::kRegressed:
      return figures + ": a changed exponent, it grows faster: the algorithm has changed";
    case Verdict::kImproved:
      return figures + ": a changed exponent, it grows more slowly: the algorithm has changed";
    case Verdict::kUnchanged:
      return figures + ": unchanged";
    case Verdict::kInconclusive:
      return figures + ": undecided";
  }
  return figures;
}

std::string control_text(const Control& control) {
  return fmt::format("A/A arm: {} false alarms in {} cells, the largest difference {:.2f} %",
                     control.false_alarms, control.cells, 100 * control.largest);
}

std::string machine_text(const Machine& machine) {
  std::string text = machine.cpu.empty() ? machine.host : machine.cpu;
  for (const std::string& part :
       {machine.cores > 0 ? fmt::format("{} cores", machine.cores) : "", machine.simd_target,
        machine.backend.empty() ? "" : "backend " + machine.backend,
        machine.threads > 0 ? fmt::format("threads {}", machine.threads) : ""}) {
    text += part.empty() ? "" : (text.empty() ? "" : ", ") + part;
  }
  return text.empty() ? "unknown" : text;
}

std::size_t count_of(const Comparison& comparison, Verdict verdict) {
  return static_cast<std::size_t>(
      std::count_if(comparison.cells.begin(), comparison.cells.end(),
                    [verdict](const CellComparison& cell) { return cell.verdict == verdict; }));
}

/// "regressed: 1 of 12 cells regressed, 10 unchanged, 1 inconclusive (threshold 3 %)".
std::string summary_text(const Comparison& comparison) {
  std::string text =
      fmt::format("{}: of {} cells", name_of(comparison.verdict), comparison.cells.size());
  for (const Verdict verdict :
       {Verdict::kRegressed, Verdict::kImproved, Verdict::kUnchanged, Verdict::kInconclusive}) {
    if (const std::size_t count = count_of(comparison, verdict); count > 0) {
      text += fmt::format(" {} {},", count, name_of(verdict));
    }
  }
  text.back() = text.back() == ',' ? ';' : text.back();
  return text + fmt::format(" threshold {:g} % of {}", 100 * comparison.threshold,
                            name_of(comparison.metric));
}

/// "exponents: 57 of 60 differences have 0 in their own 95 % interval".
std::string agreement_text(const std::vector<ExponentComparison>& exponents) {
  const auto agree =
      std::count_if(exponents.begin(), exponents.end(),
                    [](const ExponentComparison& exponent) { return exponent.alone.contains(0); });
  return fmt::format("exponents: {} of {} differences have 0 in their own 95 % interval", agree,
                     exponents.size());
}

/// What stands below the table, a line each.
std::vector<std::string> remarks(const Comparison& comparison) {
  std::vector<std::string> lines;
  for (const ExponentComparison& exponent : comparison.exponents) {
    lines.push_back("exponent: " + exponent_text(exponent));
  }
  if (!comparison.exponents.empty()) {
    lines.push_back(agreement_text(comparison.exponents));
  }
  for (const auto& [name, reason] : comparison.failed) {
    lines.push_back(fmt::format("failed: {}: {}", name, reason));
  }
  lines.push_back(fmt::format("geometric mean {}", percent(comparison.geometric_mean_ratio)));
  if (comparison.control) {
    lines.push_back(control_text(*comparison.control));
  }
  if (comparison.seconds > 0) {
    lines.push_back(fmt::format("measured for {:.0f} s, {:.2f} % of the machine's time stolen",
                                comparison.seconds, 100 * comparison.steal_share));
  }
  for (const auto& [names, side] : {std::pair{&comparison.only_base, "base"},
                                    std::pair{&comparison.only_candidate, "candidate"}}) {
    for (const std::string& name : *names) {
      lines.push_back(fmt::format("only in the {}: {}", side, name));
    }
  }
  if (!comparison.note.empty()) {
    lines.push_back("note: " + comparison.note);
  }
  return lines;
}

using Row = std::vector<std::string>;

std::vector<Row> rows_of(const Comparison& comparison) {
  std::vector<Row> rows{{"cell", "base", "candidate", "change", "verdict"}};
  for (const CellComparison& cell : comparison.cells) {
    rows.push_back({cell.name, side_text(comparison.metric, cell.base, cell.base_spread),
                    side_text(comparison.metric, cell.candidate, cell.candidate_spread),
                    change_text(cell), verdict_text(cell)});
  }
  return rows;
}

void append_table(const std::vector<Row>& rows, std::string& text) {
  std::vector<std::size_t> widths(rows.front().size(), 0);
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], row[i].size());
    }
  }
  for (const Row& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += fmt::format("{:<{}}  ", row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  }
}

void append_markdown_table(const std::vector<Row>& rows, std::string& text) {
  for (std::size_t r = 0; r < rows.size(); ++r) {
    text += fmt::format("| {} |\n", fmt::join(rows[r], " | "));
    text += r == 0 ? "|---|---:|---:|---:|---|\n" : "";
  }
}

nlohmann::ordered_json interval_json(const scaling::Interval& interval) {
  return {interval.low, interval.high};
}

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return safe;
}

struct Case {
  std::string name;
  std::string outcome;  ///< "", "failure", "error" or "skipped"
  std::string message;
};

std::vector<Case> cases_of(const Comparison& comparison) {
  const auto outcome = [](Verdict verdict) {
    return verdict == Verdict::kRegressed      ? "failure"
           : verdict == Verdict::kInconclusive ? "skipped"
                                               : "";
  };
  std::vector<Case> cases;
  for (const CellComparison& cell : comparison.cells) {
    cases.push_back({cell.name, outcome(cell.verdict),
                     fmt::format("{}: {}", verdict_text(cell), change_text(cell))});
  }
  for (const ExponentComparison& exponent : comparison.exponents) {
    cases.push_back(
        {"exponent " + exponent.family, outcome(exponent.verdict), exponent_text(exponent)});
  }
  for (const auto& [name, reason] : comparison.failed) {
    cases.push_back({name, "error", reason});
  }
  return cases;
}

}  // namespace

std::string quantity_text(Metric metric, double value) {
  const bool is_time = metric == Metric::kTime;
  struct Unit {
    double size;
    const char* time;
    const char* count;
  };
  for (const Unit& unit : {Unit{1e9, nullptr, " G"}, Unit{1e6, nullptr, " M"},
                           Unit{1e3, nullptr, " k"}, Unit{1, " s", ""}, Unit{1e-3, " ms", nullptr},
                           Unit{1e-6, " us", nullptr}, Unit{1e-9, " ns", nullptr}}) {
    const char* name = is_time ? unit.time : unit.count;
    if (name != nullptr && std::abs(value) >= unit.size) {
      return fmt::format("{:.4g}{}", value / unit.size, name);
    }
  }
  return fmt::format("{:.4g}{}", value, is_time ? " s" : "");
}

std::string to_text(const Comparison& comparison) {
  std::string text =
      fmt::format("base:      {}\ncandidate: {}\nmachine:   {}\n\n", comparison.base_label,
                  comparison.candidate_label, machine_text(comparison.machine));
  append_table(rows_of(comparison), text);
  text += '\n';
  for (const std::string& line : remarks(comparison)) {
    text += line + '\n';
  }
  return text + summary_text(comparison) + '\n';
}

std::string to_markdown(const Comparison& comparison) {
  std::string text =
      fmt::format("### {}: {}\n\n- base: {}\n- candidate: {}\n- machine: {}\n\n",
                  name_of(comparison.metric), summary_text(comparison), comparison.base_label,
                  comparison.candidate_label, machine_text(comparison.machine));
  const std::vector<Row> rows = rows_of(comparison);
  std::vector<Row> notable{rows.front()};
  for (std::size_t i = 0; i < comparison.cells.size(); ++i) {
    if (comparison.cells[i].verdict != Verdict::kUnchanged) {
      notable.push_back(rows[i + 1]);
    }
  }
  if (notable.size() > 1) {
    append_markdown_table(notable, text);
    text += '\n';
  }
  for (const std::string& line : remarks(comparison)) {
    text += "- " + line + '\n';
  }
  text += fmt::format("\n<details><summary>All {} cells</summary>\n\n", comparison.cells.size());
  append_markdown_table(rows, text);
  return text + "\n</details>\n";
}

nlohmann::ordered_json to_json(const Comparison& comparison) {
  using Json = nlohmann::ordered_json;
  Json cells = Json::array();
  for (const CellComparison& cell : comparison.cells) {
    cells.push_back({{"name", cell.name},
                     {"base", cell.base},
                     {"candidate", cell.candidate},
                     {"base_spread", cell.base_spread},
                     {"candidate_spread", cell.candidate_spread},
                     {"rounds", cell.rounds},
                     {"ratio", cell.ratio},
                     {"interval", interval_json(cell.interval)},
                     {"confidence", cell.confidence},
                     {"p_value", cell.p_value},
                     {"verdict", name_of(cell.verdict)},
                     {"rounds_needed", cell.rounds_needed}});
  }
  Json exponents = Json::array();
  for (const ExponentComparison& exponent : comparison.exponents) {
    exponents.push_back({{"family", exponent.family},
                         {"sizes", exponent.sizes},
                         {"base", exponent.base},
                         {"candidate", exponent.candidate},
                         {"difference", interval_json(exponent.difference)},
                         {"difference_alone", interval_json(exponent.alone)},
                         {"verdict", name_of(exponent.verdict)}});
  }
  Json failed = Json::array();
  for (const auto& [name, reason] : comparison.failed) {
    failed.push_back({{"name", name}, {"reason", reason}});
  }
  const Machine& machine = comparison.machine;
  Json json = {{"kind", "comparison"},
               {"metric", name_of(comparison.metric)},
               {"verdict", name_of(comparison.verdict)},
               {"summary", summary_text(comparison)},
               {"base", comparison.base_label},
               {"candidate", comparison.candidate_label},
               {"machine",
                {{"cpu", machine.cpu},
                 {"cores", machine.cores},
                 {"simd_target", machine.simd_target},
                 {"backend", machine.backend},
                 {"threads", machine.threads},
                 {"host", machine.host}}},
               {"threshold", comparison.threshold},
               {"paired", comparison.paired},
               {"geometric_mean_ratio", comparison.geometric_mean_ratio},
               {"seconds", comparison.seconds},
               {"steal_share", comparison.steal_share},
               {"control", nullptr},
               {"cells", cells},
               {"exponents", exponents},
               {"failed", failed},
               {"only_base", comparison.only_base},
               {"only_candidate", comparison.only_candidate},
               {"note", comparison.note}};
  if (comparison.control) {
    json["control"] = {{"cells", comparison.control->cells},
                       {"false_alarms", comparison.control->false_alarms},
                       {"largest", comparison.control->largest}};
  }
  return json;
}

std::string to_junit(std::span<const Comparison> comparisons) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n";
  for (const Comparison& comparison : comparisons) {
    const std::vector<Case> cases = cases_of(comparison);
    const auto count = [&cases](std::string_view outcome) {
      return std::count_if(cases.begin(), cases.end(),
                           [outcome](const Case& each) { return each.outcome == outcome; });
    };
    text += fmt::format(
        "  <testsuite name=\"interpscale.{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" "
        "skipped=\"{}\" time=\"{:.3f}\">\n",
        name_of(comparison.metric), cases.size(), count("failure"), count("error"),
        count("skipped"), comparison.seconds);
    for (const Case& each : cases) {
      text += fmt::format("    <testcase classname=\"interpscale.{}\" name=\"{}\" time=\"0\"",
                          name_of(comparison.metric), escaped(each.name));
      text += each.outcome.empty()
                  ? fmt::format(">\n      <system-out>{}</system-out>\n    </testcase>\n",
                                escaped(each.message))
                  : fmt::format(">\n      <{} message=\"{}\"/>\n    </testcase>\n", each.outcome,
                                escaped(each.message));
    }
    text += "  </testsuite>\n";
  }
  return text + "</testsuites>\n";
}

}  // namespace interpscale::regression
