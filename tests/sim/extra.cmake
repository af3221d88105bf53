# SPDX-License-Identifier: GPL-3.0-or-later
# It builds the laws itself, so one of the two builds of a test run is enough.
if(NOT RECOUP_SANITIZE)
    add_test(NAME sim.golden_matrix
        COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/golden_matrix.sh ${PROJECT_SOURCE_DIR}
                ${CMAKE_BINARY_DIR}/golden_matrix)
    set_tests_properties(sim.golden_matrix PROPERTIES TIMEOUT 300)
endif()
