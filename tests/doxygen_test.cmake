# cmake -DSOURCE=<project> -DOUTPUT=<folder> -P doxygen_test.cmake: Doxygen has no warning of the public headers.
find_program(doxygen doxygen NO_CACHE)
if(NOT doxygen)
  message("SKIPPED: there is no doxygen; `tools/setup doxygen` installs it")
  return()
endif()
file(MAKE_DIRECTORY ${OUTPUT})
configure_file(${SOURCE}/cmake/Doxyfile.in ${OUTPUT}/Doxyfile @ONLY)
execute_process(COMMAND ${doxygen} ${OUTPUT}/Doxyfile ERROR_VARIABLE said RESULT_VARIABLE failed)
# what it says of itself where a header specialises a template of the standard library
string(REGEX REPLACE "[^\n]*Internal inconsistency: scope for class std::[^\n]*\n" "" said "${said}")
if(failed OR said)
  message(FATAL_ERROR "doxygen:\n${said}")
endif()
