# SPDX-License-Identifier: GPL-3.0-or-later
#
# uPlot for the report page, through npm, into the build folder. Whatever goes wrong, the page is
# built without it: it is complete as it stands, and only cannot be zoomed.
set(RECOUP_UPLOT AUTO CACHE STRING
    "uPlot in the report page: AUTO (through npm, where that works), ON (warn when not), OFF")
set_property(CACHE RECOUP_UPLOT PROPERTY STRINGS AUTO ON OFF)

# recoup_uplot(FOLDER OUT): sets OUT to the folder of the package, or to "".
function(recoup_uplot folder out)
    set(${out} "" PARENT_SCOPE)
    if(RECOUP_UPLOT STREQUAL "OFF")
        return()
    endif()
    set(work ${CMAKE_CURRENT_BINARY_DIR}/npm)
    set(package ${work}/node_modules/uplot)
    set(stamp ${work}/asked)
    file(SHA256 ${folder}/package-lock.json wanted)
    set(asked "")
    if(EXISTS ${stamp})
        file(READ ${stamp} asked)
    endif()
    # Asked once per lock file and folder: a build without a network is not to wait again.
    if(NOT asked STREQUAL wanted)
        find_program(RECOUP_NPM npm)
        mark_as_advanced(RECOUP_NPM)
        file(MAKE_DIRECTORY ${work})
        file(WRITE ${stamp} ${wanted})
        if(RECOUP_NPM)
            configure_file(${folder}/package.json ${work}/package.json COPYONLY)
            configure_file(${folder}/package-lock.json ${work}/package-lock.json COPYONLY)
            execute_process(
                COMMAND ${RECOUP_NPM} ci --ignore-scripts --no-audit --no-fund --prefer-offline
                        --fetch-retries=0 --fetch-timeout=15000 --loglevel=error
                WORKING_DIRECTORY ${work} TIMEOUT 60
                RESULT_VARIABLE result OUTPUT_QUIET ERROR_QUIET)
        endif()
    endif()
    if(EXISTS ${package}/dist/uPlot.iife.min.js AND EXISTS ${package}/dist/uPlot.min.css
       AND EXISTS ${package}/LICENSE)
        set(${out} ${package} PARENT_SCOPE)
    elseif(RECOUP_UPLOT STREQUAL "ON")
        message(WARNING "uPlot is not to be had through npm; figures of the report will not zoom. "
            "Remove ${stamp} to ask again.")
    else()
        message(STATUS "uPlot is not to be had through npm: figures of the report will not zoom")
    endif()
endfunction()
