// SPDX-License-Identifier: Apache-2.0
#include "study/networks_data.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "interpscale/data/idx.hpp"
#include "interpscale/data/teacher.hpp"

namespace interpscale::study {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kTestExamples = 2000;
constexpr std::size_t kTeacherExamples = 8192;
constexpr std::size_t kTeacherWidth = 32;

/// `count` examples of `source` in the order of `seed` (all of them if it has fewer).
data::Dataset subset(const data::Dataset& source, std::size_t count, std::uint64_t seed) {
  data::Batch chosen = data::sample(source, std::min(count, source.inputs.rows()), seed);
  data::Dataset result;
  result.name = source.name;
  result.inputs = std::move(chosen.inputs);
  result.labels = std::move(chosen.labels);
  result.classes = source.classes;
  result.image_rows = source.image_rows;
  result.image_cols = source.image_cols;
  return result;
}

/// A teacher's batch with its largest output as the label.
data::Dataset labelled(data::Batch batch) {
  data::Dataset result;
  result.name = kSyntheticData;
  result.inputs = std::move(batch.inputs);
  result.classes = kStudyClasses;
  for (std::size_t i = 0; i < batch.targets.rows(); ++i) {
    const std::span<const float> row = std::as_const(batch.targets).row(i);
    result.labels.push_back(
        static_cast<std::uint32_t>(std::max_element(row.begin(), row.end()) - row.begin()));
  }
  return result;
}

/// The factor by which images of `pixels` are pooled to `inputs`; 0 if there is none.
std::size_t pooling_factor(std::size_t pixels, std::size_t inputs) {
  for (std::size_t factor = 1; factor * factor * inputs <= pixels; ++factor) {
    if (factor * factor * inputs == pixels) {
      return factor;
    }
  }
  return 0;
}

}  // namespace

Result<StudyData> StudyData::open(const Plan& plan, std::size_t test_examples) {
  StudyData result(plan);
  if (plan.data == kSyntheticData) {
    return result;
  }
  const Result<fs::path> folder = data::find_dataset(plan.data);
  if (!folder) {
    return tl::unexpected(folder.error());
  }
  Result<data::Split> loaded = data::load_idx_folder(*folder);
  if (!loaded) {
    return tl::unexpected(loaded.error());
  }
  if (loaded->train.classes != kStudyClasses) {
    return fail("{}: found {} classes, wanted {}", folder->string(), loaded->train.classes,
                kStudyClasses);
  }
  const std::size_t wanted = static_cast<std::size_t>(plan.training_steps) * plan.batch;
  result.images_ =
      data::Split{subset(loaded->train, wanted, plan.seed),
                  subset(loaded->test, std::max(test_examples, plan.batch), plan.seed)};
  return result;
}

data::Split StudyData::teacher_split(std::size_t inputs) const {
  const data::TeacherStudent teacher(
      {.inputs = inputs, .hidden = {kTeacherWidth}, .outputs = kStudyClasses}, plan_.seed);
  data::Batch train;
  data::Batch test;
  teacher.fill(0, kTeacherExamples, train);
  teacher.fill(1, std::max(kTestExamples, plan_.batch), test);
  return {labelled(std::move(train)), labelled(std::move(test))};
}

Result<void> StudyData::check_inputs(std::size_t inputs) const {
  if (!images_) {
    return {};
  }
  if (pooling_factor(images_->train.inputs.cols(), inputs) == 0) {
    return fail(
        "plan: inputs is {}, but images of {} x {} pixels cannot be pooled to that many; 28 x 28 "
        "give 784, 196, 49 or 16",
        inputs, images_->train.image_rows, images_->train.image_cols);
  }
  if (plan_.batch > images_->test.inputs.rows()) {
    return fail("plan: batch is {}, but data set '{}' has {} test examples", plan_.batch,
                images_->test.name, images_->test.inputs.rows());
  }
  return {};
}

Result<data::Split> StudyData::with_inputs(std::size_t inputs) const {
  if (const Result<void> had = check_inputs(inputs); !had) {
    return tl::unexpected(had.error());
  }
  if (!images_) {
    return teacher_split(inputs);
  }
  const std::size_t factor = pooling_factor(images_->train.inputs.cols(), inputs);
  Result<data::Dataset> train = data::pooled(images_->train, factor);
  Result<data::Dataset> test = data::pooled(images_->test, factor);
  if (!train || !test) {
    return tl::unexpected(train ? test.error() : train.error());
  }
  data::Split split{std::move(*train), std::move(*test)};
  data::standardise(split);
  return split;
}

data::Batch study_batch(const data::Dataset& test, const Plan& plan) {
  return data::sample(test, plan.batch, plan.seed);
}

Result<void> save_batch(const data::Batch& batch, const fs::path& path) {
  Json json;
  json["labels"] = batch.labels;
  json["inputs"] = Json::array();
  for (std::size_t i = 0; i < batch.inputs.rows(); ++i) {
    const std::span<const float> row = batch.inputs.row(i);
    json["inputs"].push_back(std::vector<float>(row.begin(), row.end()));
  }
  const std::vector<std::uint8_t> bytes = Json::to_cbor(json);
  const fs::path temporary = path.string() + ".part";
  std::ofstream stream(temporary, std::ios::binary | std::ios::trunc);
  std::copy(bytes.begin(), bytes.end(), std::ostreambuf_iterator<char>(stream));
  stream.close();
  std::error_code error;
  if (stream) {
    fs::rename(temporary, path, error);
  }
  if (!stream || error) {
    return fail("{}: cannot write {} bytes: {}", path.string(), bytes.size(),
                error ? error.message() : "no space left, or the folder is not writable");
  }
  return {};
}

Result<data::Batch> load_batch(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  if (!stream) {
    return fail("{}: cannot be opened; delete the folder and run the study again", path.string());
  }
  try {
    const Json json = Json::from_cbor(stream);
    data::Batch batch;
    json.at("labels").get_to(batch.labels);
    const auto rows = json.at("inputs").get<std::vector<std::vector<float>>>();
    if (rows.empty() || rows.size() != batch.labels.size()) {
      return fail("{}: found {} examples and {} labels", path.string(), rows.size(),
                  batch.labels.size());
    }
    batch.inputs = Matrix<float>(rows.size(), rows.front().size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (rows[i].size() != rows.front().size() || batch.labels[i] >= kStudyClasses) {
        return fail(
            "{}: example {} has {} inputs and label {}, wanted {} inputs and a label "
            "below {}",
            path.string(), i, rows[i].size(), batch.labels[i], rows.front().size(), kStudyClasses);
      }
      std::copy(rows[i].begin(), rows[i].end(), batch.inputs.row(i).begin());
    }
    return batch;
  } catch (const Json::exception& problem) {
    return fail("{}: not a batch: {}", path.string(), problem.what());
  }
}

}  // namespace interpscale::study
