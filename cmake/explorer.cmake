# The explorer's page (src/draw/explorer: real files, so that editors and browsers read them) as a C++ source.
# As a script, cmake -DSOURCE=.. -DOUT=.. -P explorer.cmake, it writes that source; included, it adds it to the library.
set(explorer_scripts data view svg canvas panel values main)
if(CMAKE_SCRIPT_MODE_FILE)
  cmake_minimum_required(VERSION 3.25)
  # raw strings, in pieces: compilers limit how long one may be
  function(quoted text result)
    set(pieces "")
    string(LENGTH "${text}" length)
    set(at 0)
    while(at LESS length)
      string(SUBSTRING "${text}" ${at} 8000 piece)
      string(APPEND pieces "\n  R\"~~(${piece})~~\"")
      math(EXPR at "${at} + 8000")
    endwhile()
    set(${result} "${pieces}" PARENT_SCOPE)
  endfunction()
  file(READ ${SOURCE}/explorer.css style)
  file(READ ${SOURCE}/explorer.html body)
  set(script "'use strict';\n(() => {\n")
  foreach(name IN LISTS explorer_scripts)
    file(READ ${SOURCE}/${name}.js part)
    string(APPEND script "${part}")
  endforeach()
  # the files are for people, the page is for browsers: without comments and indentation
  string(REGEX REPLACE "\n *//[^\n]*" "" script "${script}")
  string(REGEX REPLACE "\n +" "\n" script "${script}")
  string(APPEND script "})();\n")
  set(text "// made by cmake/explorer.cmake\n#include \"draw/explorer/explorer_page.h\"\n\nnamespace taugrad::draw {\n")
  foreach(part Style Script Body)
    string(TOLOWER ${part} variable)
    string(SHA256 hash "${${variable}}")
    quoted("${${variable}}" literal)
    string(APPEND text "const std::string_view kExplorer${part} =${literal};\n")
    if(NOT part STREQUAL "Body")
      string(APPEND text "const std::string_view kExplorer${part}Hash = \"${hash}\";\n")
    endif()
  endforeach()
  file(WRITE ${OUT} "${text}}  // namespace taugrad::draw\n")
  return()
endif()

set(explorer_folder ${PROJECT_SOURCE_DIR}/src/draw/explorer)
set(explorer_source ${PROJECT_BINARY_DIR}/explorer_page.cpp)
list(TRANSFORM explorer_scripts PREPEND ${explorer_folder}/ OUTPUT_VARIABLE explorer_files)
list(TRANSFORM explorer_files APPEND .js)
add_custom_command(OUTPUT ${explorer_source}
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${explorer_folder} -DOUT=${explorer_source}
    -P ${CMAKE_CURRENT_LIST_FILE}
  DEPENDS ${CMAKE_CURRENT_LIST_FILE} ${explorer_folder}/explorer.css ${explorer_folder}/explorer.html
    ${explorer_files}
  VERBATIM)
target_sources(tg_draw PRIVATE ${explorer_source})
