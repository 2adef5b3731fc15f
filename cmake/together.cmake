# Compiling the files of a room at once reads what they include once: a build from nothing takes half the time, a build
# after a change of one file more. tools/build does it, a build by hand does not.
option(TAUGRAD_TOGETHER "Compile the files of a room at once" OFF)

# rooms whose files stay apart: they instantiate parts of one template each, or name things alike
set(apart src/kernels src/plan src/runtime src/train/loop src/train/state src/draw/explorer src/draw/layout src/draw/text
  src/draw/printed src/draw/search tools/cli/reports tools/commands)

# together(<target> <source>...)
function(together target)
  if(NOT TAUGRAD_TOGETHER)
    return()
  endif()
  set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  foreach(source IN LISTS ARGN)
    file(RELATIVE_PATH name ${PROJECT_SOURCE_DIR} ${source})
    get_filename_component(room ${name} DIRECTORY)
    string(REGEX MATCH "^[^/]*/[^/]*" floor ${room})
    if(NOT room IN_LIST apart AND NOT floor IN_LIST apart)
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP ${room})
    endif()
  endforeach()
endfunction()
