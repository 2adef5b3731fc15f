# Where the shipped definitions and workloads are found: nothing that is compiled knows a folder of this machine.
# A program looks in share/ of its own prefix, and beside itself, where the build folder has links to the sources.
file(RELATIVE_PATH data_from_program ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_DATADIR}/taugrad)
set_source_files_properties(${PROJECT_SOURCE_DIR}/src/language/syntax/load.cpp PROPERTIES
  COMPILE_DEFINITIONS TAUGRAD_DATA="${data_from_program}")
file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/share/taugrad)
foreach(folder graphs workloads)
  file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${PROJECT_BINARY_DIR}/share/taugrad/${folder} SYMBOLIC)
endforeach()
# What links the library is told the folder: here of another project's build, by taugradConfig.cmake of a prefix.
if(NOT PROJECT_IS_TOP_LEVEL)
  set(taugrad_data_folder ${PROJECT_SOURCE_DIR})
  configure_file(cmake/data_folder.cpp.in data_folder.cpp @ONLY)
  target_sources(taugrad INTERFACE $<BUILD_INTERFACE:${CMAKE_CURRENT_BINARY_DIR}/data_folder.cpp>)
endif()
