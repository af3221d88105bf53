# SPDX-License-Identifier: GPL-3.0-or-later
#
# Builds of recoup with a planted change each: two that `recoup check` and `recoup diff` must tell
# apart, one that crashes in the middle of a check, and one with a bug that an invariant finds.
foreach(planted reordering behaviour crashing finding)
    add_executable(recoup_${planted} cli/planted/${planted}.c ${PROJECT_SOURCE_DIR}/cli/main.c)
    set_target_properties(recoup_${planted} PROPERTIES
        RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(recoup_${planted} PRIVATE ${PROJECT_SOURCE_DIR})
    target_link_libraries(recoup_${planted} PRIVATE recoup_flags recoup_cli)
    # The names are the linker's, not ours.
    target_compile_options(recoup_${planted} PRIVATE $<$<C_COMPILER_ID:Clang>:-Wno-reserved-identifier>)
endforeach()
target_link_options(recoup_reordering PRIVATE LINKER:--wrap=world_push)
target_link_options(recoup_behaviour PRIVATE LINKER:--wrap=recoup_create)
target_link_options(recoup_crashing PRIVATE LINKER:--wrap=model_run_pair)
target_link_options(recoup_finding PRIVATE LINKER:--wrap=ledger_finish)

# The project's own scenarios are what their baselines say, whatever the compiler: CONTRIBUTING.md
# tells how a change is accepted.
add_test(NAME check.scenarios COMMAND recoup check ${PROJECT_SOURCE_DIR}/scenarios --strict)

# A signal in the middle of many runs.
add_test(NAME cli.interrupt COMMAND Python3::Interpreter
    ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_interrupt.py $<TARGET_FILE:recoup>)

# What `recoup run` prints of each of them is one screen.
add_test(NAME cli.one_screen COMMAND Python3::Interpreter
    ${CMAKE_CURRENT_SOURCE_DIR}/cli/test_one_screen.py $<TARGET_FILE:recoup>
    ${PROJECT_SOURCE_DIR}/scenarios)
