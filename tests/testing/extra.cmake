# SPDX-License-Identifier: GPL-3.0-or-later
#
# What one step does is counted at the library's own seams.
target_link_options(testing_test_bounded_work PRIVATE
    -Wl,--wrap=recoup__replay_record -Wl,--wrap=recoup__store_write
    -Wl,--wrap=recoup__store_checkpoint_write)
