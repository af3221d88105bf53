# SPDX-License-Identifier: GPL-3.0-or-later
#
# The JSON Schema as an editor applies it.
add_test(NAME scenarios.schema COMMAND ${Python3_EXECUTABLE}
    ${CMAKE_CURRENT_SOURCE_DIR}/scenarios/schema.py ${PROJECT_SOURCE_DIR})
set_tests_properties(scenarios.schema PROPERTIES SKIP_RETURN_CODE 77)
