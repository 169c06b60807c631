# Build options, warnings and sanitizers: private interface targets, never exported flags.
# SPDX-License-Identifier: Apache-2.0
option(INTERPSCALE_TESTS "Build the tests" ON)
option(INTERPSCALE_BENCH "Build the benchmarks" ON)
option(INTERPSCALE_FUZZ "Build the libFuzzer targets (clang only)" OFF)
option(INTERPSCALE_WERROR "Treat warnings as errors" OFF)
set(INTERPSCALE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them (empty: none)")
option(INTERPSCALE_COVERAGE "Instrument for coverage" OFF)
set(INTERPSCALE_PLANT "" CACHE STRING
    "A slow-down on purpose, METHOD:PERCENT or METHOD:naive@WIDTH (tools/selftest-regressions)")

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

# Paths below the project are hashed relative to it, so that a second copy of the tree (a fresh
# clone, the one-new-file test) finds what the first one compiled.
find_program(INTERPSCALE_CCACHE ccache)
if(INTERPSCALE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      "${CMAKE_COMMAND}" -E env "CCACHE_BASEDIR=${PROJECT_SOURCE_DIR}" CCACHE_NOHASHDIR=1
      "${INTERPSCALE_CCACHE}")
endif()

add_library(interpscale_warnings INTERFACE)
target_compile_options(interpscale_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wold-style-cast
  -Wnon-virtual-dtor -Woverloaded-virtual -Wdouble-promotion
  $<$<BOOL:${INTERPSCALE_WERROR}>:-Werror>)
if(INTERPSCALE_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  # GCC 12 finds uninitialised members in its own <regex> once the sanitizers' checks are woven in.
  target_compile_options(interpscale_warnings INTERFACE -Wno-maybe-uninitialized)
endif()

# Products are never contracted into fused multiply-adds behind our back: results must not depend
# on the compiler. Kernels that want an FMA ask Highway for it.
add_library(interpscale_instrumentation INTERFACE)
target_compile_options(interpscale_instrumentation INTERFACE -ffp-contract=off)
if(INTERPSCALE_SANITIZE)
  target_compile_options(interpscale_instrumentation INTERFACE
    -fsanitize=${INTERPSCALE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(interpscale_instrumentation INTERFACE -fsanitize=${INTERPSCALE_SANITIZE})
endif()
if(INTERPSCALE_COVERAGE)
  target_compile_options(interpscale_instrumentation INTERFACE --coverage)
  target_link_options(interpscale_instrumentation INTERFACE --coverage)
endif()
