// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/peer.hpp"

#include "support/catch.hpp"

namespace interpscale::measure {
namespace {

using Catch::Matchers::Contains;

Result<Peer> shell(const std::string& script, PeerOptions options = {}) {
  return Peer::start({"/bin/sh", "-c", script}, options);
}

TEST_CASE("peer: lines go there and back until its input ends", "[measure][peer]") {
  auto peer = shell("echo ready; while read line; do echo \"got $line\"; done");
  REQUIRE(peer);
  CHECK(peer->receive().value_or("") == "ready");
  CHECK(peer->ask("one").value_or("") == "got one");
  CHECK(peer->ask("two words").value_or("") == "got two words");
  CHECK(peer->finish());
}

TEST_CASE("peer: one that ends, dies or keeps silent is an error that says so", "[measure][peer]") {
  auto ended = shell("echo out of ink >&2; exit 3");
  REQUIRE(ended);
  const auto nothing = ended->receive();
  REQUIRE_FALSE(nothing);
  CHECK_THAT(nothing.error().message, Contains("ended with status 3: out of ink"));

  auto killed = shell("kill -9 $$");
  REQUIRE(killed);
  const auto asked = killed->receive();
  REQUIRE_FALSE(asked);
  CHECK_THAT(asked.error().message, Contains("killed by signal 9"));

  auto silent = shell("read line; exec sleep 60", {.answer_seconds = 0.2});
  REQUIRE(silent);
  const auto kept = silent->ask("well?");
  REQUIRE_FALSE(kept);
  CHECK_THAT(kept.error().message, Contains("did not answer within 0.2 s"));

  auto missing = Peer::start({"/nowhere/at-all"}, {});
  REQUIRE(missing);
  CHECK_FALSE(missing->receive());
}

TEST_CASE("peer: an exit status other than 0 is not a good end", "[measure][peer]") {
  auto peer = shell("while read line; do echo yes; done; exit 4");
  REQUIRE(peer);
  CHECK(peer->ask("ready?"));
  CHECK_FALSE(peer->finish());
}

}  // namespace
}  // namespace interpscale::measure
