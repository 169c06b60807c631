// SPDX-License-Identifier: Apache-2.0
#include "interpscale/data/idx.hpp"

#include "data/temporary_folder.hpp"
#include "support/catch.hpp"

namespace interpscale::data {
namespace {

using Catch::Matchers::Contains;
using testing::TemporaryFolder;

std::string big_endian(std::uint32_t value) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes += static_cast<char>(value >> shift & 0xffU);
  }
  return bytes;
}

/// Images of 2 x 3 pixels; pixel p of image i is 10 i + p.
std::string images(std::uint32_t count) {
  std::string bytes = big_endian(0x803) + big_endian(count) + big_endian(2) + big_endian(3);
  for (std::uint32_t i = 0; i < count; ++i) {
    for (std::uint32_t p = 0; p < 6; ++p) {
      bytes += static_cast<char>(10 * i + p);
    }
  }
  return bytes;
}

std::string labels(const std::string& values) {
  return big_endian(0x801) + big_endian(static_cast<std::uint32_t>(values.size())) + values;
}

const std::string kThreeLabels{"\x04\x09\x00", 3};
const std::string kTwoLabels{"\x01\x02", 2};

/// A well-formed folder: three training images, plain; two test images, gzip.
void fill(const TemporaryFolder& folder) {
  folder.write("train-images-idx3-ubyte", images(3));
  folder.write("train-labels-idx1-ubyte", labels(kThreeLabels));
  folder.write_gzip("t10k-images-idx3-ubyte.gz", images(2));
  folder.write_gzip("t10k-labels-idx1-ubyte.gz", labels(kTwoLabels));
}

std::string error_of(const TemporaryFolder& folder) {
  const auto split = load_idx_folder(folder.path());
  REQUIRE_FALSE(split.has_value());
  return split.error().message;
}

TEST_CASE("idx: plain and gzip files load, pixels scaled to [0, 1]", "[data][idx]") {
  const TemporaryFolder folder;
  fill(folder);
  const auto split = load_idx_folder(folder.path());
  REQUIRE(split.has_value());
  const Dataset& train = split->train;
  CHECK(train.inputs.rows() == 3);
  CHECK(train.inputs.cols() == 6);
  CHECK(train.image_rows == 2);
  CHECK(train.image_cols == 3);
  CHECK(train.classes == 10);
  CHECK(train.labels == std::vector<std::uint32_t>{4, 9, 0});
  CHECK(train.inputs(2, 5) == 25.0F / 255.0F);
  CHECK(split->test.labels == std::vector<std::uint32_t>{1, 2});
  CHECK(split->test.inputs(1, 0) == 10.0F / 255.0F);
}

TEST_CASE("idx: a broken file is refused, with file, byte, found and wanted", "[data][idx]") {
  const TemporaryFolder folder;
  fill(folder);
  const std::string name = "train-images-idx3-ubyte";
  const std::string file = (folder.path() / name).string();
  SECTION("no such file") {
    std::filesystem::remove(file);
    CHECK(error_of(folder) == folder.path().string() + ": found neither '" + name + ".gz' nor '" +
                                  name + "', wanted one of them");
  }
  SECTION("a folder in the file's place") {
    std::filesystem::remove(file);
    std::filesystem::create_directory(file);
    CHECK_THAT(error_of(folder), Contains(file));
  }
  SECTION("empty") {
    folder.write(name, "");
    CHECK(error_of(folder) == file +
                                  ": byte 0: found the end of the file, wanted 4 more bytes of "
                                  "the magic number");
  }
  SECTION("wrong magic number") {
    folder.write(name, labels(kThreeLabels));
    CHECK(error_of(folder) ==
          file + ": byte 0: found the magic number 0x00000801, wanted 0x00000803");
  }
  SECTION("header cut off") {
    folder.write(name, images(3).substr(0, 10));
    CHECK(error_of(folder) ==
          file + ": byte 10: found the end of the file, wanted 2 more bytes of an extent");
  }
  SECTION("an extent of zero") {
    folder.write(name, big_endian(0x803) + big_endian(3) + big_endian(0) + big_endian(3));
    CHECK(error_of(folder) == file + ": byte 8: found an extent of 0, wanted at least 1");
  }
  SECTION("extents whose product overflows") {
    const std::string most = big_endian(0xffffffff);
    folder.write(name, big_endian(0x803) + most + most + most);
    CHECK_THAT(error_of(folder),
               Contains(file + ": byte 4: found 4294967295 images of 4294967295"));
  }
  SECTION("a claim of four terabytes costs no memory") {
    folder.write(
        name, big_endian(0x803) + big_endian(0xffffffff) + big_endian(32) + big_endian(32) + "abc");
    CHECK(error_of(folder) == file +
                                  ": byte 19: found the end of the file, wanted 4398046510077 "
                                  "more bytes of pixels");
  }
  SECTION("pixels cut off") {
    folder.write(name, images(3).substr(0, 33));
    CHECK(error_of(folder) ==
          file + ": byte 33: found the end of the file, wanted 1 more bytes of pixels");
  }
  SECTION("trailing bytes") {
    folder.write(name, images(3) + "x");
    CHECK(error_of(folder) == file + ": byte 34: found further bytes, wanted the end of the file");
  }
  SECTION("another number of labels than images") {
    folder.write(name, images(4));
    CHECK(error_of(folder) == (folder.path() / "train-labels-idx1-ubyte").string() +
                                  ": byte 4: found 3 labels, wanted 4, one for each image");
  }
  SECTION("label out of range") {
    folder.write("train-labels-idx1-ubyte", labels(std::string("\x04\x0a\x00", 3)));
    CHECK(error_of(folder) == (folder.path() / "train-labels-idx1-ubyte").string() +
                                  ": byte 9: found the label 10, wanted 0 to 9");
  }
  SECTION("test images of another size") {
    folder.write_gzip("t10k-images-idx3-ubyte.gz",
                      big_endian(0x803) + big_endian(2) + big_endian(1) + big_endian(2) + "abcd");
    CHECK_THAT(error_of(folder), Contains("found test images of 1 x 2 pixels, wanted 2 x 3"));
  }
}

TEST_CASE("idx: a damaged gzip file is refused", "[data][idx]") {
  const TemporaryFolder folder;
  fill(folder);
  const std::string name = "t10k-images-idx3-ubyte.gz";
  const std::string whole = folder.read(name);
  SECTION("cut off within the data") {
    folder.write(name, whole.substr(0, whole.size() / 2));
    CHECK_THAT(error_of(folder), Contains(name) && Contains("end of"));
  }
  SECTION("cut off within the checksum") {
    folder.write(name, whole.substr(0, whole.size() - 3));
    CHECK_THAT(error_of(folder), Contains(name) && Contains("byte 28") && Contains("end of file"));
  }
  SECTION("wrong checksum") {
    std::string changed = whole;
    changed[whole.size() - 6] = static_cast<char>(changed[whole.size() - 6] ^ 1);
    folder.write(name, changed);
    CHECK_THAT(error_of(folder), Contains(name) && Contains("incorrect data check"));
  }
}

TEST_CASE("find_dataset: a folder's path, or an error that says what to do", "[data][idx]") {
  const TemporaryFolder folder;
  CHECK(find_dataset(folder.path().string()).value() == folder.path());
  const auto missing = find_dataset((folder.path() / "none").string());
  REQUIRE_FALSE(missing.has_value());
  CHECK_THAT(missing.error().message, Contains("found no such folder"));
  const auto file = find_dataset(folder.write("file", "x").string());
  REQUIRE_FALSE(file.has_value());
  const auto installed = find_dataset("fashion-mnist");
  CHECK((installed ? installed->string() : installed.error().message).find("fashion-mnist") !=
        std::string::npos);
}

}  // namespace
}  // namespace interpscale::data
