# SPDX-License-Identifier: GPL-3.0-or-later
#
# One set of flags for the whole house, and one function per kind of target.
# No target sets a language flag of its own, except for the ban on floating point
# in recovery/ and sim/ (RecoupNoFloatingPoint below).
find_package(PkgConfig REQUIRED)

add_library(recoup_flags INTERFACE)
target_compile_options(recoup_flags INTERFACE
    -ffp-contract=off
    -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wdouble-promotion -Wfloat-equal
    -Wshadow -Wundef -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wswitch-enum)
if(RECOUP_WERROR)
    target_compile_options(recoup_flags INTERFACE -Werror)
endif()
if(RECOUP_SANITIZE)
    target_compile_options(recoup_flags INTERFACE
        -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(recoup_flags INTERFACE -fsanitize=address,undefined)
endif()
if(RECOUP_COVERAGE)
    target_compile_options(recoup_flags INTERFACE --coverage)
    target_link_options(recoup_flags INTERFACE --coverage)
endif()
recoup_lto_linking(recoup_flags)
option(RECOUP_FUZZ "Build the libFuzzer targets (clang)" OFF)
if(RECOUP_FUZZ)
    target_compile_options(recoup_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# recoup_folder(TARGET): a static library of every C file of the current folder.
function(recoup_folder target)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.c)
    list(FILTER sources EXCLUDE REGEX "/main\\.c$")
    if(NOT sources)
        file(WRITE ${CMAKE_BINARY_DIR}/empty.c "typedef int recoup_empty;\n")
        set(sources ${CMAKE_BINARY_DIR}/empty.c)
    endif()
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PRIVATE recoup_flags)
    target_include_directories(${target} PUBLIC ${PROJECT_SOURCE_DIR})
    recoup_lto_objects(${target})
endfunction()

# recoup_ban_floating_point(TARGET SOURCE...): any double in these sources is a compile error.
# Only gcc enforces the flag; a test looks for soft-float calls where clang accepts it silently.
function(recoup_ban_floating_point)
    if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|aarch64"
       AND NOT RECOUP_SANITIZE AND NOT RECOUP_COVERAGE)
        set_property(SOURCE ${ARGN} APPEND PROPERTY COMPILE_OPTIONS -mgeneral-regs-only)
    endif()
endfunction()

# recoup_test_folder(FOLDER LIBRARY...): every tests/FOLDER/test_*.c is one executable and one test.
function(recoup_test_folder folder)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/test_*.c)
    file(GLOB shared CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/support*.c)
    foreach(source ${sources})
        get_filename_component(name ${source} NAME_WE)
        set(target ${folder}_${name})
        add_executable(${target} ${source} ${shared})
        set_target_properties(${target} PROPERTIES
            RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
        target_compile_definitions(${target} PRIVATE
            RECOUP_SOURCE_DIR="${PROJECT_SOURCE_DIR}" RECOUP_BINARY_DIR="${CMAKE_BINARY_DIR}")
        target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/tests)
        target_link_libraries(${target} PRIVATE recoup_flags ${ARGN} cmocka)
        add_test(NAME ${folder}.${name} COMMAND ${target})
        set_tests_properties(${folder}.${name} PROPERTIES
            ENVIRONMENT "ASAN_OPTIONS=handle_segv=2;UBSAN_OPTIONS=print_stacktrace=1" TIMEOUT 900)
    endforeach()
endfunction()
