# cmake -DSOURCE=<project> -DBUILD=<folder> -P clang_test.cmake: what clang 14 makes of a fresh copy, that is of the
# files under version control and the new ones. Each fuzz target is built by the documented command, with sanitizers,
# and survives 1,000 runs; then the program, of the same library, proves a gradient, and tests of the suite pass.
# BUILD is kept: a second run compiles what has changed.
find_program(clang clang++-14 NO_CACHE)
if(NOT clang)
  message("SKIPPED: there is no clang++-14; `tools/setup clang-14 libclang-rt-14-dev` installs it")
  return()
endif()
function(run)
  execute_process(COMMAND ${ARGV} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

set(copy ${BUILD}/source)
file(MAKE_DIRECTORY ${copy})
execute_process(COMMAND git -c safe.directory=* ls-files -z --cached --others --exclude-standard
  WORKING_DIRECTORY ${SOURCE} OUTPUT_FILE ${BUILD}/files RESULT_VARIABLE no_git ERROR_QUIET)
if(no_git)
  set(copy ${SOURCE})
else()
  file(GLOB_RECURSE old LIST_DIRECTORIES FALSE ${copy}/src/* ${copy}/tools/* ${copy}/tests/*.cpp)
  foreach(file IN LISTS old)  # what is gone is gone here too
    file(RELATIVE_PATH name ${copy} ${file})
    if(NOT EXISTS ${SOURCE}/${name})
      file(REMOVE ${file})
    endif()
  endforeach()
  run(sh -c "cd '${SOURCE}' && tar -c --ignore-failed-read --null -T '${BUILD}/files' | tar -x -C '${copy}'")
endif()

set(ENV{CXX} ${clang})
set(ENV{TAUGRAD_FUZZ_BUILD} ${BUILD}/out)
set(ENV{TAUGRAD_FUZZ_FLAGS} "-g1 -O0")  # compiles in half the time, and 1,000 runs are few
foreach(target definition graph_json safetensors)
  run(${copy}/tools/fuzz/run ${target} 1000)
endforeach()
run(${CMAKE_COMMAND} -S ${copy} -B ${BUILD}/out -DTAUGRAD_TOOLS=ON)
run(${CMAKE_COMMAND} --build ${BUILD}/out --target taugrad_cli)
run(${BUILD}/out/taugrad check -q -e "h[t] = tanh(W @ h[t-1] + U @ x[t])" --steps 3)

# A part of the suite under the same sanitizers, that of what reads files, plans and runs; tools/sanitize runs it whole.
set(tests bad_input_test builder_rules_test by_hand_corners_test column_test data_positions_test diff_test executor_test
  fold_test gated_test graph_attributes_test handles_test json_test language_positions_test levels_test
  safetensors_test segments_test shared_memory_test single_matrices_test stepper_test triangular_test)
run(${CMAKE_COMMAND} -S ${copy} -B ${BUILD}/out -DTAUGRAD_TESTS=ON)
run(${CMAKE_COMMAND} --build ${BUILD}/out --target ${tests})
list(JOIN tests "|" names)
run(${CMAKE_CTEST_COMMAND} --test-dir ${BUILD}/out -j 2 --output-on-failure -R "^(${names})$")

# Node for node the same graphs as those of PROGRAM, which another compiler built: no order is left to it.
foreach(name attention crf elman gla hopfield kalman_filter mlstm rwkv7 saturated_linear slstm titans ttt_linear)
  run(${PROGRAM} show ${copy}/graphs/${name}.json --steps 3 --view gradient -q -o ${BUILD}/theirs.json)
  run(${BUILD}/out/taugrad show ${copy}/graphs/${name}.json --steps 3 --view gradient -q -o ${BUILD}/ours.json)
  run(${CMAKE_COMMAND} -E compare_files ${BUILD}/theirs.json ${BUILD}/ours.json)
endforeach()
