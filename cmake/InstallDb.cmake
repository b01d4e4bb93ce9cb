# The store as a library of its own: headers below include/keel, static libraries, a CMake package and a pkg-config file, all
# of component `db`. They find each other by relative paths, so that the tree can be installed anywhere.
include(CMakePackageConfigHelpers)

set(keel_core_headers
  core/base.hpp core/bytes.hpp core/fault.hpp core/files.hpp core/result.hpp)
set(keel_db_headers
  db/backend.hpp db/bulk_load.hpp db/database.hpp db/error.hpp db/open.hpp db/table.hpp
  db/tools/check.hpp db/tools/checksum.hpp db/tools/compact.hpp db/tools/compare.hpp db/tools/dump.hpp
  db/tools/image.hpp db/tools/inspect.hpp db/tools/load.hpp db/tools/picture.hpp db/tools/progress.hpp
  db/tools/repair.hpp db/tools/text_format.hpp db/tools/transfer.hpp)

foreach(layer core db)
  foreach(header IN LISTS keel_${layer}_headers)
    get_filename_component(folder ${header} DIRECTORY)
    install(FILES ${CMAKE_SOURCE_DIR}/${header} DESTINATION include/keel/${folder} COMPONENT db)
  endforeach()
  target_include_directories(keel_${layer} INTERFACE $<INSTALL_INTERFACE:include/keel>)
  target_compile_features(keel_${layer} INTERFACE $<INSTALL_INTERFACE:cxx_std_23>)
endforeach()

install(TARGETS keel_core keel_db EXPORT keel-db ARCHIVE DESTINATION lib COMPONENT db)
install(EXPORT keel-db NAMESPACE keel:: FILE keel-dbTargets.cmake DESTINATION lib/cmake/keel-db COMPONENT db)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/keel-dbConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(${CMAKE_SOURCE_DIR}/cmake/keel-db.pc.in ${CMAKE_BINARY_DIR}/keel-db.pc @ONLY)
install(FILES ${CMAKE_SOURCE_DIR}/cmake/keel-dbConfig.cmake ${CMAKE_BINARY_DIR}/keel-dbConfigVersion.cmake
  DESTINATION lib/cmake/keel-db COMPONENT db)
install(FILES ${CMAKE_BINARY_DIR}/keel-db.pc DESTINATION lib/pkgconfig COMPONENT db)
