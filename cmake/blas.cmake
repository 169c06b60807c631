# The optional backend `blas`: src/kernels/blas is compiled where OpenBLAS is installed. The linker
# drops the library from programs that do not come near a backend.
# SPDX-License-Identifier: Apache-2.0
option(INTERPSCALE_BLAS "Build the backend blas where OpenBLAS is installed" ON)
if(INTERPSCALE_BLAS)
  find_package(OpenBLAS QUIET)
endif()
if(INTERPSCALE_BLAS AND OpenBLAS_FOUND)
  target_include_directories(interpscale_kernels SYSTEM PRIVATE ${OpenBLAS_INCLUDE_DIRS})
  target_link_libraries(interpscale_kernels PRIVATE ${OpenBLAS_LIBRARIES})
  set_source_files_properties("${PROJECT_SOURCE_DIR}/src/kernels/make_backend.cpp" PROPERTIES
    COMPILE_DEFINITIONS INTERPSCALE_HAS_BLAS=1)
else()
  get_target_property(kernel_sources interpscale_kernels SOURCES)
  list(FILTER kernel_sources EXCLUDE REGEX "/src/kernels/blas/")
  set_target_properties(interpscale_kernels PROPERTIES SOURCES "${kernel_sources}")
endif()
