// The report for a person: sections in the order of a paper's results.
// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <array>
#include <set>
#include <string>
#include <string_view>

#include "interpscale/experiments/registry.hpp"
#include "interpscale/study/report.hpp"
#include "study/report/setting.hpp"
#include "study/report/tables.hpp"
#include "study/report/training.hpp"

namespace interpscale::study {
namespace {

std::string figure(const char* name, const char* alt) {
  return fmt::format("\n![{}](figures/{}.png)\n", alt, name);
}

std::string summary(const StudyResult& result) {
  std::size_t grows = 0;
  std::size_t keeps_up = 0;
  std::size_t undecided = 0;
  for (const SubjectResult& subject : result.subjects) {
    if (!subject.tax || subject.variant.empty()) {
      continue;
    }
    switch (subject.tax->growth) {
      case scaling::Growth::kGrows:
        ++grows;
        break;
      case scaling::Growth::kConstant:
      case scaling::Growth::kShrinks:
        ++keeps_up;
        break;
      case scaling::Growth::kUndecided:
        ++undecided;
        break;
    }
  }
  std::string text = fmt::format("# Cost of understanding against cost of training: study `{}`\n\n",
                                 result.journal.plan.preset);
  const SubjectResult* const training = result.find(result.tax_denominator, "");
  if (training != nullptr && training->against_parameters) {
    text += fmt::format("A training step takes time as N to the power {}. ",
                        with_interval(training->against_parameters->law.exponent,
                                      training->against_parameters->exponent));
  }
  return text + fmt::format(
                    "Of {} method variants with a tax (time of the analysis over time of a "
                    "training step on the same batch), {} keep up with training as networks grow, "
                    "{} fall behind, {} are undecided. Square brackets hold 95 % intervals, from a "
                    "bootstrap over rounds and residuals.\n",
                    grows + keeps_up + undecided, keeps_up, grows, undecided);
}

std::string laws_section(const StudyResult& result) {
  std::string text =
      "## Laws in parameters and neurons\n\n"
      "T ~ N^alpha n^beta over the cells of each subject (medians over rounds), one thread unless "
      "the setting says otherwise. Theory is the same fit of the declared FLOPs of the same cells; "
      "a difference in bold has theory outside of the measured interval. Predictors: what AICc "
      "prefers to explain the times. Of peak: executed FLOPs at the largest network, as a share of "
      "the FMA peak measured in the same round.\n\n" +
      laws_table(result).markdown() +
      figure("exponents", "Exponents in N and n of every subject, measured and declared");
  if (const Table inputs = inputs_table(result); !inputs.empty()) {
    text += fmt::format("\nWith the input size d as a third predictor:\n\n{}", inputs.markdown());
  }
  return text;
}

/// On which cells laws in one measure of size stand.
std::string ground_of(const StudyResult& result) {
  return result.family ? fmt::format(
                             "On the networks that differ in width alone: {} inputs, {} hidden "
                             "layers.",
                             result.family->inputs, result.family->depth)
                       : std::string("On all cells of a subject, of whatever depth and inputs.");
}

std::string one_factor_section(const StudyResult& result) {
  return "## Laws in one measure of size\n\n" + ground_of(result) +
         " The law with the smallest AICc of b x^alpha, a + b x^alpha and b x log x. Largest left "
         "out: measured over extrapolated time at the largest size, less one.\n\n" +
         one_factor_table(result).markdown() +
         figure("laws_parameters", "Time against parameters N, with the fitted law and theory") +
         figure("laws_neurons", "Time against neurons n, with the fitted law and theory");
}

std::string tax_section(const StudyResult& result) {
  const Table table = tax_table(result);
  if (table.empty()) {
    return "## Transparency tax\n\nNo tax could be fitted.\n";
  }
  return fmt::format(
             "## Transparency tax\n\n{} "
             "Time over that of {} on the same network and batch, paired by round. A tax is "
             "constant where its exponent's interval lies within {} of 0, else grows or shrinks "
             "where that excludes 0.\n\n",
             ground_of(result), result.tax_denominator, kTaxConstantWithin) +
         table.markdown() + figure("tax", "Transparency tax against parameters N by method");
}

/// "zero_ablation (fast), activation_statistics (fast)".
std::string deviating_subjects(const StudyResult& result) {
  std::vector<std::string> labels;
  for (const SubjectResult& subject : result.subjects) {
    if (deviates_from_theory(subject)) {
      labels.push_back(subject.label());
    }
  }
  return fmt::format("{}", fmt::join(labels, ", "));
}

/// Rounds in which some kernel was timed.
std::size_t kernel_rounds_of(const StudyJournal& journal) {
  std::set<int> rounds;
  for (const KernelRecord& record : journal.kernels) {
    rounds.insert(record.round);
  }
  return rounds.size();
}

std::string machine_section(const StudyResult& result) {
  const Table table = time_model_table(result);
  const std::string deviating = deviating_subjects(result);
  std::string text =
      fmt::format("## Algorithm or machine\n\nExponents farther than {} from theory: {}.\n\n",
                  kTheoryWithin, deviating.empty() ? "none" : deviating);
  if (!table.empty()) {
    text += fmt::format(
        "Of these, each cell's time is predicted from its kernel calls: the sum of what each call "
        "takes by itself (that operation at that shape, its operands as far from the last touch), "
        "timed in {} rounds of their own ({} planned) and scaled by the FMA peak measured there. A "
        "deviation counts as explained only where every cell is predicted within 15 %.\n\n",
        kernel_rounds_of(result.journal), result.journal.plan.kernel_rounds);
    text += table.markdown() + "\nCell by cell:\n\n" + predicted_cells_table(result).markdown();
  }
  return text + figure("roofline", "FLOP/s against arithmetic intensity under measured limits");
}

std::string list_of(const std::string& opening, const std::vector<std::string>& items) {
  if (items.empty()) {
    return {};
  }
  std::string text = fmt::format("\n{}\n\n", opening);
  for (const std::string& item : items) {
    text += fmt::format("- {}\n", item);
  }
  return text;
}

/// Experiment, and the figure that is drawn of its outcomes.
struct ExperimentFigure {
  std::string_view experiment;
  const char* name;
  const char* alt;
};
constexpr std::array kExperimentFigures = {
    ExperimentFigure{"retraining", "modules",
                     "Weight between the modules of a network, over what their sizes give"},
    ExperimentFigure{"leaks", "leaks",
                     "Rise of the loss against surrogates' size, and modules replaced"},
    ExperimentFigure{"stacking", "stacking",
                     "Leak against layers replaced, and of surrogates built upon each other"},
    ExperimentFigure{"reuse", "reuse",
                     "Neurons found again in another network, and the cost of analysing the rest"},
    ExperimentFigure{"concepts", "concepts",
                     "Variance of neurons that known concepts explain, by size and by layer"},
};

std::string experiments_section(const StudyResult& result) {
  if (result.journal.experiments.empty()) {
    return {};
  }
  std::string text = "## Experiments\n";
  const experiments::Evidence evidence = evidence_of(result);
  for (const experiments::ExperimentSpec& experiment : experiments::all_experiments()) {
    if (!experiment.tables) {
      continue;
    }
    for (const experiments::ReportTable& shown : experiment.tables(evidence)) {
      Table table(shown.header);
      for (const std::vector<std::string>& row : shown.rows) {
        table.add(row);
      }
      if (!table.empty()) {
        text += fmt::format("\n`{}`: {}\n\n{}", experiment.name, shown.title, table.markdown());
      }
    }
  }
  std::vector<std::string> failed;
  for (const experiments::Outcome& outcome : result.journal.experiments) {
    if (outcome.status != "ok") {
      failed.push_back(
          fmt::format("`{}`, {}: {}", outcome.experiment, outcome.piece, outcome.reason));
    }
  }
  text += list_of("Failed:", failed);
  for (const auto& [experiment, name, alt] : kExperimentFigures) {
    if (!evidence.outcomes_of(experiment).empty()) {
      text += figure(name, alt);
    }
  }
  return text;
}

std::string ledger_section(const StudyResult& result) {
  std::string text = "## Claims ledger\n\n" + ledger_table(result).markdown();
  if (!result.ledger.empty()) {
    text += fmt::format("\nMeasured on: {}. Rules:\n\n", result.ledger.front().setting);
  }
  std::set<std::string> seen;
  for (const experiments::LedgerLine& line : result.ledger) {
    if (!line.rule.empty() && seen.insert(line.claim + line.rule).second) {
      text += fmt::format("- {}: {}.\n", line.claim, line.rule);
    }
  }
  return text;
}

std::string caveats_section(const StudyResult& result) {
  std::string text =
      "## Caveats\n\n"
      "Measured on multilayer perceptrons on one machine. These are neither image classifiers of "
      "today's size nor language models, a training step is not a whole training, and nothing here "
      "measures people.\n";
  if (const Table doubtful = doubtful_cells_table(result); !doubtful.empty()) {
    text += fmt::format("\nCells that are not beyond doubt:\n\n{}", doubtful.markdown());
  }
  if (const Table trusted = trusted_only_table(result); !trusted.empty()) {
    text += fmt::format("\nExponents with and without mistrusted cells:\n\n{}", trusted.markdown());
  }
  text += list_of("About the study:", result.notes);
  std::vector<std::string> notes;
  for (const SubjectResult& subject : result.subjects) {
    for (const std::string& note : subject.notes) {
      notes.push_back(fmt::format("{}: {}", subject.label(), note));
    }
  }
  text += list_of("About single subjects:", notes);
  std::vector<std::string> left_out;
  for (const LeftOut& item : result.journal.left_out) {
    left_out.push_back(fmt::format("`{}`: {}", item.name, item.reason));
  }
  if (!left_out.empty()) {
    text += fmt::format("\n<details><summary>{} cells that the plan leaves out</summary>\n",
                        left_out.size()) +
            list_of("", left_out) + "\n</details>\n";
  }
  return text;
}

}  // namespace

std::string markdown_report(const StudyResult& result) {
  std::string text = summary(result);
  for (const auto& section :
       {setting_section, design_section, networks_section, laws_section, one_factor_section,
        tax_section, training_section, training_tax_section, machine_section, experiments_section,
        ledger_section, caveats_section}) {
    if (const std::string shown = section(result); !shown.empty()) {
      text += fmt::format("\n{}", shown);
    }
  }
  return text +
         "\nFigures are drawn by `tools/plot` from `report.json`; `cells.csv` and `laws.csv` hold "
         "the tables' numbers in full.\n";
}

}  // namespace interpscale::study
