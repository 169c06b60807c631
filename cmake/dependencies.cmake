# Everything that is not ours, from the distribution's packages (tools/setup installs them).
# SPDX-License-Identifier: Apache-2.0
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(tl-expected REQUIRED)
find_package(fmt REQUIRED)
find_package(hwy REQUIRED)
find_package(Eigen3 3.3 REQUIRED NO_MODULE)
# Threads are ours: Eigen would start its own inside a product wherever OpenMP is switched on.
target_compile_definitions(Eigen3::Eigen INTERFACE EIGEN_DONT_PARALLELIZE)
find_package(NLopt 2.7 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(ZLIB REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(benchmark 1.7 REQUIRED)
find_package(CLI11 REQUIRED)

find_path(INTERPSCALE_RANDOM123 Random123/philox.h REQUIRED)
find_path(INTERPSCALE_SPECTRA Spectra/SymEigsSolver.h REQUIRED)

# The system's own interpreter first: it is the one that has the distribution's matplotlib.
find_program(INTERPSCALE_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)
find_program(INTERPSCALE_PYTHON python3 REQUIRED)
