# SPDX-License-Identifier: GPL-3.0-or-later
#
# What `cmake --install` gives to an engine: headers <recoup/...>, static and shared libraries,
# pkg-config files and a CMake package. The shared libraries export the functions of the public
# headers and nothing else, under a version that names the ABI. docs/compatibility.md tells the rule.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

# Before 1.0 every minor version may change the ABI, from then on only a major one.
set(RECOUP_ABI ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

# recoup_public_header(FILE [FOLDER]): FILE as <recoup/[FOLDER/]NAME> in the build folder, for
# examples/ and the installation. Installed headers include each other by these names, too.
function(recoup_public_header file)
    get_filename_component(name ${file} NAME)
    set(folder recoup/${ARGN})
    file(READ ${file} text)
    string(REGEX REPLACE "\"recovery/((testing/)?[a-z_]+\\.h)\"" "<recoup/\\1>" text "${text}")
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/include/${folder}/${name} CONTENT "${text}" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
    install(FILES ${CMAKE_BINARY_DIR}/include/${folder}/${name}
            DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/${folder})
endfunction()

# recoup_installed_library(TARGET EXPORTED PC): installs the static TARGET, its shared twin made
# from the same sources (TARGET_shared, exported as recoup::EXPORTED), and PC.pc.
function(recoup_installed_library target exported pc)
    get_target_property(sources ${target} SOURCES)
    get_target_property(name ${target} OUTPUT_NAME)
    set(map ${PROJECT_SOURCE_DIR}/cmake/${name}.map)
    configure_file(${map} ${CMAKE_BINARY_DIR}/${name}.map @ONLY)
    add_library(${target}_shared SHARED ${sources})
    target_link_libraries(${target}_shared PRIVATE recoup_flags)
    recoup_lto(${target}_shared)
    target_include_directories(${target}_shared PRIVATE ${PROJECT_SOURCE_DIR}
        INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
    target_link_options(${target}_shared PRIVATE -Wl,--version-script=${CMAKE_BINARY_DIR}/${name}.map)
    set_target_properties(${target}_shared PROPERTIES
        OUTPUT_NAME ${name} EXPORT_NAME ${exported} VERSION ${PROJECT_VERSION}
        SOVERSION ${RECOUP_ABI} LINK_DEPENDS ${CMAKE_BINARY_DIR}/${name}.map)
    recoup_installed_archive(${target})
    install(TARGETS ${target}_shared EXPORT recoup LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
    recoup_pkg_config(${pc})
endfunction()

# recoup_pkg_config(NAME): installs NAME.pc. The tree may be moved: the prefix is found from where
# the file lies.
function(recoup_pkg_config pc)
    file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
    string(REGEX REPLACE "/$" "" up "${up}")
    set(RECOUP_PC_PREFIX "\${pcfiledir}/${up}")
    configure_file(${PROJECT_SOURCE_DIR}/cmake/${pc}.pc.in ${CMAKE_BINARY_DIR}/${pc}.pc @ONLY)
    install(FILES ${CMAKE_BINARY_DIR}/${pc}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

# recoup_installed_testing(): what engines' own tests link, always statically.
function(recoup_installed_testing)
    foreach(name host crash duties host_check)
        recoup_public_header(${PROJECT_SOURCE_DIR}/recovery/testing/${name}.h testing)
    endforeach()
    recoup_installed_archive(recoup_testing)
    recoup_pkg_config(recoup-testing)
endfunction()

# recoup_package(): the CMake package, once the libraries are known.
function(recoup_package)
    set(folder ${CMAKE_INSTALL_LIBDIR}/cmake/recoup)
    set(RECOUP_WITH_HOST FALSE)
    if(TARGET recoup_host)
        set(RECOUP_WITH_HOST TRUE)
    endif()
    install(EXPORT recoup NAMESPACE recoup:: FILE recoup-targets.cmake DESTINATION ${folder})
    configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/recoup-config.cmake.in
        ${CMAKE_BINARY_DIR}/recoup-config.cmake INSTALL_DESTINATION ${folder}
        PATH_VARS CMAKE_INSTALL_LIBDIR CMAKE_INSTALL_INCLUDEDIR)
    write_basic_package_version_file(${CMAKE_BINARY_DIR}/recoup-config-version.cmake
        COMPATIBILITY SameMinorVersion)
    install(FILES ${CMAKE_BINARY_DIR}/recoup-config.cmake
        ${CMAKE_BINARY_DIR}/recoup-config-version.cmake DESTINATION ${folder})
    install(FILES ${PROJECT_SOURCE_DIR}/LICENSES/Apache-2.0.txt
        DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/recoup)
endfunction()
