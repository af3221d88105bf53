# SPDX-License-Identifier: GPL-3.0-or-later
#
# Link-time optimization: calls between files and folders, of which an event makes dozens, are
# inlined. Programs that users run and the shared libraries are linked with it. Tests are linked
# from the same objects without it, since each of them would be optimized anew. clang is left out:
# it needs a linker plugin and an archiver of its own, which a plain installation lacks.
option(RECOUP_LTO "Optimize across files in Release builds (gcc)" ON)
set(RECOUP_LTO_COMPILE "")
if(RECOUP_LTO AND CMAKE_BUILD_TYPE STREQUAL "Release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU"
   AND NOT RECOUP_SANITIZE AND NOT RECOUP_COVERAGE)
    include(CheckIPOSupported)
    check_ipo_supported(RESULT supported OUTPUT reason LANGUAGES C)
    if(supported)
        set(RECOUP_LTO_COMPILE -flto=auto -ffat-lto-objects)
    else()
        message(STATUS "No link-time optimization: ${reason}")
    endif()
endif()
define_property(TARGET PROPERTY RECOUP_LTO BRIEF_DOCS "Linked with link-time optimization"
    FULL_DOCS "Linked with link-time optimization, where the build has it")

# recoup_lto_linking(FLAGS): targets that use the interface library FLAGS are linked with it if
# their property RECOUP_LTO is on, and from the machine code in their objects otherwise.
function(recoup_lto_linking flags)
    if(RECOUP_LTO_COMPILE)
        target_link_options(${flags} INTERFACE
            $<IF:$<BOOL:$<TARGET_PROPERTY:RECOUP_LTO>>,-flto=auto,-fno-lto>)
    endif()
endfunction()

# recoup_lto_objects(TARGET): its objects can be linked both ways.
function(recoup_lto_objects target)
    target_compile_options(${target} PRIVATE ${RECOUP_LTO_COMPILE})
endfunction()

# recoup_lto(TARGET): a program or shared library that is linked with it.
function(recoup_lto target)
    recoup_lto_objects(${target})
    set_target_properties(${target} PROPERTIES RECOUP_LTO ON)
endfunction()

# recoup_installed_archive(TARGET): installs a static library with machine code only. The form of
# the intermediate code belongs to one version of the compiler, and another one refuses it.
function(recoup_installed_archive target)
    install(TARGETS ${target} ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
    if(RECOUP_LTO_COMPILE)
        set(folder ${CMAKE_INSTALL_LIBDIR})
        if(NOT IS_ABSOLUTE ${folder})
            set(folder "\${CMAKE_INSTALL_PREFIX}/${folder}")
        endif()
        install(CODE "execute_process(COMMAND \"${CMAKE_OBJCOPY}\"
            --remove-section=.gnu.lto_* --remove-section=.gnu.debuglto_*
            \"\$ENV{DESTDIR}${folder}/$<TARGET_FILE_NAME:${target}>\" COMMAND_ERROR_IS_FATAL ANY)")
    endif()
endfunction()
