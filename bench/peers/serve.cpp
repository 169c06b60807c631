// SPDX-License-Identifier: Apache-2.0
#include "bench/peers/serve.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "interpscale/measure/driver.hpp"
#include "interpscale/measure/limits.hpp"

namespace interpscale::bench::peers {
namespace {

using Json = nlohmann::ordered_json;

void answer(const Json& json) {
  std::cout << json.dump() << std::endl;
}

/// Runs what is kept elsewhere.
class Kept : public measure::Timed {
 public:
  explicit Kept(std::shared_ptr<measure::Timed> timed) : timed_(std::move(timed)) {}
  void run() override { timed_->run(); }
  Result<measure::Verification> verify() override { return timed_->verify(); }

 private:
  std::shared_ptr<measure::Timed> timed_;
};

class Server {
 public:
  explicit Server(std::vector<GridEntry> entries) {
    for (GridEntry& entry : entries) {
      names_.push_back(entry.name);
      entries_[entry.name] = std::move(entry);
    }
  }

  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

  [[nodiscard]] Json time(const std::string& name, double seconds) {
    Json json{{"name", name}, {"ok", false}};
    if (const Result<void> ready = prepare(name); !ready) {
      json["reason"] = ready.error().message;
      return json;
    }
    measure::Subject subject{name, {}, [this]() -> Result<std::unique_ptr<measure::Timed>> {
                               return std::make_unique<Kept>(timed_);
                             }};
    const measure::DriverOptions options{
        .min_seconds = seconds, .warm_up_seconds = seconds / 10.0, .repetitions = 1};
    measure::time_subjects({&subject, 1}, options, [&](const measure::Timing& timing) {
      json["ok"] = timing.ok;
      json["reason"] = timing.reason;
      json["seconds"] = timing.seconds;
      json["iterations"] = timing.iterations;
      json["flops"] = flops_;
      return true;
    });
    return json;
  }

  [[nodiscard]] Json write(const std::string& name, const std::string& folder) {
    Json json{{"name", name}, {"ok", false}};
    if (const Result<void> ready = prepare(name); !ready) {
      json["reason"] = ready.error().message;
      return json;
    }
    const auto written = std::dynamic_pointer_cast<Written>(timed_);
    const Result<std::string> facts =
        written ? written->write(folder) : fail("{}: nothing that can be written", name);
    if (!facts) {
      json["reason"] = facts.error().message;
      return json;
    }
    json["ok"] = true;
    json["reason"] = "";
    json["facts"] = Json::parse(*facts);
    return json;
  }

 private:
  Result<void> prepare(const std::string& name) {
    if (name == current_) {
      return {};
    }
    timed_.reset();
    current_.clear();
    const auto entry = entries_.find(name);
    if (entry == entries_.end()) {
      return fail("there is no '{}' here", name);
    }
    try {
      const Result<measure::Subject> subject = entry->second.make();
      if (!subject) {
        return tl::unexpected(subject.error());
      }
      Result<std::unique_ptr<measure::Timed>> timed = subject->prepare();
      if (!timed) {
        return tl::unexpected(timed.error());
      }
      if (const Result<measure::Verification> verified = (*timed)->verify(); !verified) {
        return tl::unexpected(verified.error());
      }
      timed_ = std::move(*timed);
      flops_ = subject->quantities.flops;
      current_ = name;
    } catch (const std::exception& problem) {
      return fail("{}", problem.what());
    }
    return {};
  }

  std::vector<std::string> names_;
  std::map<std::string, GridEntry> entries_;
  std::string current_;
  std::shared_ptr<measure::Timed> timed_;
  std::uint64_t flops_ = 0;
};

Json limits(double seconds) {
  const double nanoseconds = measure::round_trip_nanoseconds(0, 1);
  return {{"flops_per_second", measure::fma_flops_per_second(seconds)},
          {"round_trip_nanoseconds", nanoseconds},
          {"placement", measure::name_of(measure::placement_of(nanoseconds))}};
}

}  // namespace

int serve(const About& about, std::vector<GridEntry> entries) {
  constexpr int kUsageError = 2;
  Server server(std::move(entries));
  answer({{"peer", about.name},
          {"version", about.version},
          {"setup", about.setup},
          {"threads", about.threads},
          {"binding", about.binding},
          {"names", server.names()}});
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream words(line);
    std::string command;
    std::string name;
    std::string folder;
    double seconds = 0.0;
    words >> command;
    if (command == "write" && words >> name && std::getline(words >> std::ws, folder)) {
      answer(server.write(name, folder));
      continue;
    }
    words >> seconds;
    if (words && seconds > 0.0 && command == "limits") {
      answer(limits(seconds));
    } else if (words && seconds > 0.0 && command == "time" && words >> name) {
      answer(server.time(name, seconds));
    } else {
      fmt::print(
          stderr,
          "interpscale_peers_{}: found '{}', wanted 'time SECONDS NAME', 'write NAME FOLDER' "
          "or 'limits SECONDS'\n",
          about.name, line);
      return kUsageError;
    }
  }
  return 0;
}

}  // namespace interpscale::bench::peers
