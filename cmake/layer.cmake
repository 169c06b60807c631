# interpscale_layer(NAME USES layers... LINKS libraries... PRIVATE libraries...)
#
# One static library a layer: headers in include/interpscale/NAME, sources in src/NAME (globbed, so
# that adding a file is all it takes), alias interpscale::NAME.
# SPDX-License-Identifier: Apache-2.0
function(interpscale_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 layer "" "" "USES;LINKS;PRIVATE")
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${name}/*.cpp")
  if(NOT sources)
    message(FATAL_ERROR "layer ${name} is empty: src/${name} holds no .cpp")
  endif()
  set(target interpscale_${name})
  add_library(${target} STATIC ${sources})
  add_library(interpscale::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC "$<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>"
           "$<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>"
    PRIVATE "${PROJECT_SOURCE_DIR}/src")
  list(TRANSFORM layer_USES PREPEND "interpscale::")
  target_link_libraries(${target}
    PUBLIC ${layer_USES} ${layer_LINKS}
    PRIVATE ${layer_PRIVATE}
            $<BUILD_INTERFACE:interpscale_warnings> $<BUILD_INTERFACE:interpscale_instrumentation>)
  set_property(GLOBAL APPEND PROPERTY interpscale_layers ${name})
endfunction()
