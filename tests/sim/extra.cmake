# SPDX-License-Identifier: GPL-3.0-or-later
add_test(NAME sim.golden_matrix
    COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/golden_matrix.sh ${PROJECT_SOURCE_DIR}
            ${CMAKE_BINARY_DIR}/golden_matrix)
set_tests_properties(sim.golden_matrix PROPERTIES TIMEOUT 300)
