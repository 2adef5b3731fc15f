# `cmake --install`: headers, the static library, find_package(taugrad CONFIG), the program, graphs/, docs/. The prefix
# may be moved.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/taugrad)
set(data_dir ${CMAKE_INSTALL_DATADIR}/taugrad)

install(TARGETS taugrad EXPORT taugrad_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT taugrad_targets NAMESPACE taugrad:: FILE taugradTargets.cmake DESTINATION ${package_dir})
install(DIRECTORY include/taugrad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY graphs workloads DESTINATION ${data_dir} FILES_MATCHING PATTERN "*.json")
install(FILES docs/graph.schema.json DESTINATION ${data_dir})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TAUGRAD_TOOLS)
  install(TARGETS taugrad_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(cmake/taugradConfig.cmake.in taugradConfig.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS data_dir)
write_basic_package_version_file(taugradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/data_folder.cpp.in ${CMAKE_CURRENT_BINARY_DIR}/taugradConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/taugradConfigVersion.cmake DESTINATION ${package_dir})

# for builds without CMake: pkg-config taugrad
file(RELATIVE_PATH prefix_from_pc ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
string(REGEX REPLACE "/$" "" prefix_from_pc ${prefix_from_pc})
configure_file(cmake/taugrad.pc.in taugrad.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/taugrad.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
