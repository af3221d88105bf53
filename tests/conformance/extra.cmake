# SPDX-License-Identifier: GPL-3.0-or-later
#
# One table of behaviours against every file system there is: the modelled ones, the host in memory,
# and real directories where the real host is built.
recoup_test_folder(conformance models recoup_testing PkgConfig::GSL)
foreach(target conformance_test_file_systems conformance_test_two_worlds)
    target_sources(${target} PRIVATE
        ${PROJECT_SOURCE_DIR}/tests/models/support_model.c
        ${PROJECT_SOURCE_DIR}/tests/models/support_step.c)
    target_compile_definitions(${target} PRIVATE _POSIX_C_SOURCE=200809L)
    if(TARGET recoup_host)
        target_link_libraries(${target} PRIVATE recoup_host)
        target_compile_definitions(${target} PRIVATE CONFORMANCE_REAL_HOST=1)
    endif()
endforeach()
# The simulated masters are recorded without their knowing.
target_link_options(conformance_test_two_worlds PRIVATE
    -Wl,--wrap=recoup_create -Wl,--wrap=recoup_step)
