# `cmake --install`: headers, the static library, find_package(taugrad CONFIG), the program, graphs/.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/taugrad)

install(TARGETS taugrad EXPORT taugrad_targets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT taugrad_targets NAMESPACE taugrad:: FILE taugradTargets.cmake DESTINATION ${package_dir})
install(DIRECTORY include/taugrad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(DIRECTORY graphs DESTINATION ${CMAKE_INSTALL_DATADIR}/taugrad FILES_MATCHING PATTERN "*.json")
install(DIRECTORY workloads DESTINATION ${CMAKE_INSTALL_DATADIR}/taugrad FILES_MATCHING PATTERN "*.json")
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
if(TAUGRAD_TOOLS)
  install(TARGETS taugrad_cli RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

configure_package_config_file(cmake/taugradConfig.cmake.in taugradConfig.cmake
  INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(taugradConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/taugradConfig.cmake
  ${CMAKE_CURRENT_BINARY_DIR}/taugradConfigVersion.cmake DESTINATION ${package_dir})
