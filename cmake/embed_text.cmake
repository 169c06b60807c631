# interpscale_embed_text(LAYER FILE HEADER NAMESPACE FUNCTION): FUNCTION() of that header returns the
# file's text, from a generated source that is made again whenever the file changes.
# SPDX-License-Identifier: Apache-2.0
function(interpscale_embed_text layer file header namespace function)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${file}")
  file(READ "${PROJECT_SOURCE_DIR}/${file}" text)
  set(source "${PROJECT_BINARY_DIR}/generated/${layer}/${function}.cpp")
  file(CONFIGURE OUTPUT "${source}" @ONLY CONTENT "// Generated from @file@.
#include \"@header@\"

namespace @namespace@ {

std::string_view @function@() {
  return R\"embedded(@text@)embedded\";
}

}  // namespace @namespace@
")
  target_sources(interpscale_${layer} PRIVATE "${source}")
endfunction()
