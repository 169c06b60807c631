// SPDX-License-Identifier: Apache-2.0
#include "interpscale/measure/child.hpp"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <thread>

#include "measure/scratch_folder.hpp"
#include "support/catch.hpp"

using interpscale::Result;
using interpscale::measure::ChildExit;
using interpscale::measure::FolderLock;
using interpscale::measure::run_child;
using interpscale::testing::read_text;
using interpscale::testing::ScratchFolder;

namespace {

Result<ChildExit> run_shell(const std::string& script,
                            const std::function<void()>& while_waiting = {}) {
  return run_child({"/bin/sh", "-c", script}, while_waiting);
}

/// Waits for `condition`, far longer than it should take; false if it never came true.
template <class Condition>
bool eventually(const Condition& condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) {
      return true;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// True if no process of this id runs any more (a zombie has ended as well).
bool has_ended(pid_t process) {
  const std::string status = read_text("/proc/" + std::to_string(process) + "/stat");
  return status.empty() || status.find(") Z ") != std::string::npos;
}

/// A copy of this process that runs `action` and is then killed, as by the out-of-memory killer.
template <class Action>
void in_killed_process(const Action& action) {
  const pid_t copy = fork();
  if (copy == 0) {
    action();
    raise(SIGKILL);
  }
  REQUIRE(copy > 0);
  REQUIRE(waitpid(copy, nullptr, 0) == copy);
}

}  // namespace

TEST_CASE("child: success, and silence", "[measure][child]") {
  const auto result = run_shell("exit 0");
  REQUIRE(result.has_value());
  CHECK(result->exited);
  CHECK(result->status == 0);
  CHECK(result->last_error.empty());
}

TEST_CASE("child: a non-zero status comes with what it said", "[measure][child]") {
  const auto result = run_shell("echo 'no such plan' >&2; exit 3");
  REQUIRE(result.has_value());
  CHECK(result->exited);
  CHECK(result->status == 3);
  CHECK(result->last_error == "no such plan");
}

TEST_CASE("child: only the last lines of much are kept", "[measure][child]") {
  const auto result =
      run_shell("i=0; while [ $i -lt 20000 ]; do echo \"line $i\"; i=$((i+1)); done >&2");
  REQUIRE(result.has_value());
  CHECK(result->status == 0);
  CHECK(result->last_error.starts_with("line 19980\n"));
  CHECK(result->last_error.ends_with("\nline 19999"));
}

TEST_CASE("child: death by a signal is told apart from an exit", "[measure][child]") {
  const auto result = run_shell("echo going >&2; kill -SEGV $$");
  REQUIRE(result.has_value());
  CHECK_FALSE(result->exited);
  CHECK(result->signal == SIGSEGV);
  CHECK(result->last_error.starts_with("going"));
}

TEST_CASE("child: a program that does not exist is an error that names it", "[measure][child]") {
  const auto result = run_child({"/nowhere/interpscale", "round"}, {});
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().message.find("/nowhere/interpscale") != std::string::npos);
}

TEST_CASE("child: the parent is called while it waits", "[measure][child]") {
  const ScratchFolder folder;
  const std::string flag = (folder.path() / "flag").string();
  int calls = 0;
  // The child ends when it sees what the call-back did.
  const auto result = run_shell("while [ ! -e " + flag + " ]; do sleep 0.01; done", [&] {
    ++calls;
    interpscale::testing::write_text(flag, "");
  });
  REQUIRE(result.has_value());
  CHECK(result->status == 0);
  CHECK(calls >= 1);
}

TEST_CASE("child: a grandchild that keeps standard error open is not waited for",
          "[measure][child]") {
  const ScratchFolder folder;
  const std::string release = (folder.path() / "release").string();
  const auto result =
      run_shell("(while [ ! -e " + release + " ] && [ -d " + folder.path().string() +
                " ]; do sleep 0.05; done) & echo started >&2; exit 4");
  interpscale::testing::write_text(release, "");
  REQUIRE(result.has_value());
  CHECK(result->status == 4);
  CHECK(result->last_error == "started");
}

TEST_CASE("child: it is killed when the call-back throws", "[measure][child]") {
  const ScratchFolder folder;
  const std::string id = (folder.path() / "id").string();
  CHECK_THROWS_AS(run_shell("echo $$ > " + id + "; exec sleep 600",
                            [&] {
                              if (!read_text(id).empty()) {
                                throw std::runtime_error("stop");
                              }
                            }),
                  std::runtime_error);
  CHECK(has_ended(std::stoi(read_text(id))));
}

TEST_CASE("child: it dies with its parent", "[measure][child]") {
  const ScratchFolder folder;
  const std::string id = (folder.path() / "id").string();
  in_killed_process([&] {
    [[maybe_unused]] const auto never = run_shell("echo $$ > " + id + "; exec sleep 600", [&] {
      if (!read_text(id).empty()) {
        raise(SIGKILL);
      }
    });
  });
  const pid_t orphan = std::stoi(read_text(id));
  CHECK(eventually([&] { return has_ended(orphan); }));
}

TEST_CASE("folder lock: excludes a second holder, who is told by whom", "[measure][lock]") {
  const ScratchFolder folder;
  {
    const auto first = FolderLock::acquire(folder.path(), 0.0);
    REQUIRE(first.has_value());
    const auto second = FolderLock::acquire(folder.path(), 0.05);
    REQUIRE_FALSE(second.has_value());
    CHECK(second.error().message.find(std::to_string(getpid())) != std::string::npos);
    CHECK(second.error().message.find(folder.path().string()) != std::string::npos);
  }
  CHECK(FolderLock::acquire(folder.path(), 0.0).has_value());
}

TEST_CASE("folder lock: moves with its object", "[measure][lock]") {
  const ScratchFolder folder;
  auto first = FolderLock::acquire(folder.path(), 0.0);
  REQUIRE(first.has_value());
  {
    const FolderLock moved = std::move(*first);
    CHECK_FALSE(FolderLock::acquire(folder.path(), 0.0).has_value());
  }
  CHECK(FolderLock::acquire(folder.path(), 0.0).has_value());
}

TEST_CASE("folder lock: waits for a holder that lets go", "[measure][lock]") {
  const ScratchFolder folder;
  auto first = FolderLock::acquire(folder.path(), 0.0);
  REQUIRE(first.has_value());
  std::thread holder([lock = std::move(*first)]() mutable {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    const FolderLock released = std::move(lock);
  });
  CHECK(FolderLock::acquire(folder.path(), 60.0).has_value());
  holder.join();
}

TEST_CASE("folder lock: a killed holder's child keeps it until it has ended", "[measure][lock]") {
  const ScratchFolder folder;
  const std::string release = (folder.path() / "release").string();
  const std::string started = (folder.path() / "started").string();
  in_killed_process([&] {
    const auto lock = FolderLock::acquire(folder.path(), 0.0);
    // A grandchild is not tied to the killed process, but has inherited the lock.
    [[maybe_unused]] const auto result =
        run_shell("(touch " + started + "; while [ ! -e " + release + " ] && [ -d " +
                  folder.path().string() + " ]; do sleep 0.02; done) & exit 0");
  });
  REQUIRE(eventually([&] { return std::filesystem::exists(started); }));
  CHECK_FALSE(FolderLock::acquire(folder.path(), 0.0).has_value());
  interpscale::testing::write_text(release, "");
  CHECK(FolderLock::acquire(folder.path(), 60.0).has_value());
}

TEST_CASE("folder lock: a folder that does not exist is an error that names it",
          "[measure][lock]") {
  const auto lock = FolderLock::acquire("/nowhere/study", 0.0);
  REQUIRE_FALSE(lock.has_value());
  CHECK(lock.error().message.find("/nowhere/study") != std::string::npos);
}
