# Installs the libraries, their headers and the package files that find_package(interpscale) reads:
# targets interpscale::core ... interpscale::regression. tools/CMakeLists.txt installs the tool.
# SPDX-License-Identifier: Apache-2.0
include(CMakePackageConfigHelpers)

set(package_folder "${CMAKE_INSTALL_LIBDIR}/cmake/interpscale")
get_property(layers GLOBAL PROPERTY interpscale_layers)
list(TRANSFORM layers PREPEND "interpscale_" OUTPUT_VARIABLE layer_targets)

install(TARGETS ${layer_targets} EXPORT interpscale_targets
        ARCHIVE DESTINATION "${CMAKE_INSTALL_LIBDIR}")
install(DIRECTORY "${PROJECT_SOURCE_DIR}/include/interpscale"
        DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}" FILES_MATCHING PATTERN "*.hpp")
install(EXPORT interpscale_targets NAMESPACE interpscale:: DESTINATION "${package_folder}")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/interpscaleConfig.cmake.in"
  "${PROJECT_BINARY_DIR}/generated/interpscaleConfig.cmake" INSTALL_DESTINATION "${package_folder}")
write_basic_package_version_file("${PROJECT_BINARY_DIR}/generated/interpscaleConfigVersion.cmake"
  COMPATIBILITY SameMinorVersion)
install(FILES "${PROJECT_BINARY_DIR}/generated/interpscaleConfig.cmake"
              "${PROJECT_BINARY_DIR}/generated/interpscaleConfigVersion.cmake"
        DESTINATION "${package_folder}")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE" DESTINATION "${CMAKE_INSTALL_DOCDIR}")
