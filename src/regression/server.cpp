// SPDX-License-Identifier: Apache-2.0
#include "regression/server.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <regex>
#include <utility>

namespace interpscale::regression {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kProtocol = 1;

Machine machine_from(const Json& json) {
  return {.cpu = json.at("cpu"),
          .cores = json.at("cores"),
          .simd_target = json.at("simd_target"),
          .backend = json.at("backend"),
          .threads = json.at("threads"),
          .host = {}};
}

std::string describe_build(const Json& build) {
  const auto text = [&build](const char* field) { return build.at(field).get<std::string>(); };
  constexpr std::size_t kShortRevision = 10;
  std::string line = fmt::format(
      "{} {}{}, {}, {}", text("version"), text("revision").substr(0, kShortRevision),
      build.at("dirty").get<bool>() ? " (changed)" : "", text("build_type"), text("compiler"));
  if (!text("planted").empty()) {
    line += ", planted " + text("planted");
  }
  return line;
}

Result<Greeting> parse_greeting(const std::string& line, const std::string& label) {
  try {
    const Json json = Json::parse(line);
    if (json.at("protocol") != kProtocol) {
      return fail("{}: speaks protocol {}, wanted {}: the two builds are too far apart", label,
                  json.at("protocol").dump(), kProtocol);
    }
    Greeting greeting;
    greeting.machine = machine_from(json.at("machine"));
    greeting.description = describe_build(json.at("build"));
    for (const Json& cell : json.at("cells")) {
      Offer offer;
      offer.index = greeting.order.size();
      offer.problem.name = cell.at("name");
      offer.problem.parameters = cell.at("parameters");
      offer.problem.neurons = cell.at("neurons");
      offer.problem.batch = cell.at("batch");
      offer.problem.inputs = cell.at("inputs");
      greeting.order.push_back(offer.problem.name);
      greeting.cells.emplace(offer.problem.name, std::move(offer));
    }
    return greeting;
  } catch (const Json::exception& problem) {
    return fail("{}: its first line is no greeting: {}", label, problem.what());
  }
}

}  // namespace

Server::Server(measure::Peer peer, Greeting greeting, std::string label)
    : peer_(std::move(peer)), greeting_(std::move(greeting)), label_(std::move(label)) {}

Result<Server> Server::start(const Build& build, const std::vector<std::string>& launcher,
                             const std::vector<std::string>& arguments,
                             const measure::PeerOptions& options) {
  std::vector<std::string> command = launcher;
  command.push_back(build.program.string());
  command.emplace_back("--serve");
  command.insert(command.end(), arguments.begin(), arguments.end());
  Result<measure::Peer> peer = measure::Peer::start(command, options);
  if (!peer) {
    return tl::unexpected(peer.error());
  }
  const Result<std::string> line = peer->receive();
  if (!line) {
    return fail("{}: {}", build.label, line.error().message);
  }
  Result<Greeting> greeting = parse_greeting(*line, build.label);
  if (!greeting) {
    return tl::unexpected(greeting.error());
  }
  return Server(std::move(*peer), std::move(*greeting), build.label);
}

Result<double> Server::ask(const std::string& request, const char* field) {
  const Result<std::string> line = peer_.ask(request);
  if (!line) {
    return fail("{}: {}", label_, line.error().message);
  }
  try {
    const Json answer = Json::parse(*line);
    if (answer.contains("error")) {
      return fail("{}: {}", label_, answer.at("error").get<std::string>());
    }
    return answer.at(field).get<double>();
  } catch (const Json::exception& problem) {
    return fail("{}: asked '{}', found '{}': {}", label_, request, *line, problem.what());
  }
}

Result<std::uint64_t> Server::prepare(std::size_t cell, bool verify, double seconds) {
  return ask(fmt::format("prepare {} {} {}", cell, verify ? 1 : 0, seconds), "iterations")
      .map([](double iterations) { return static_cast<std::uint64_t>(iterations); });
}

Result<double> Server::time(std::uint64_t iterations) {
  return ask(fmt::format("time {}", iterations), "seconds");
}

Result<void> Server::count(std::uint64_t iterations) {
  return ask(fmt::format("count {}", iterations), "counted").map([](double) {});
}

Result<std::vector<bool>> kept_by(const std::string& filter,
                                  const std::vector<std::string>& names) {
  const bool negated = filter.starts_with('-');
  std::vector<bool> kept;
  try {
    const std::regex pattern(negated ? filter.substr(1) : filter);
    for (const std::string& name : names) {
      kept.push_back(filter.empty() || std::regex_search(name, pattern) != negated);
    }
  } catch (const std::regex_error& problem) {
    return fail("filter '{}': not a regular expression: {}", filter, problem.what());
  }
  return kept;
}

Result<std::vector<std::string>> common_cells(const Greeting& base, const Greeting& candidate,
                                              const std::string& filter) {
  const Result<std::vector<bool>> kept = kept_by(filter, base.order);
  if (!kept) {
    return tl::unexpected(kept.error());
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < base.order.size(); ++i) {
    if ((*kept)[i] && candidate.cells.contains(base.order[i])) {
      names.push_back(base.order[i]);
    }
  }
  if (names.empty()) {
    return fail(
        "no cell of both builds matches the filter '{}' ({} cells of the base, {} of the "
        "candidate)",
        filter, base.order.size(), candidate.order.size());
  }
  return names;
}

void introduce(const Greeting& base, const Greeting& candidate, const std::string& filter,
               Comparison& comparison) {
  comparison.machine = candidate.machine;
  const auto missing = [&filter](const Greeting& here, const Greeting& there) {
    std::vector<std::string> names;
    const std::vector<bool> kept = *kept_by(filter, here.order);
    for (std::size_t i = 0; i < here.order.size(); ++i) {
      if (kept[i] && !there.cells.contains(here.order[i])) {
        names.push_back(here.order[i]);
      }
    }
    return names;
  };
  comparison.only_base = missing(base, candidate);
  comparison.only_candidate = missing(candidate, base);
}

}  // namespace interpscale::regression
