// SPDX-License-Identifier: GPL-3.0-or-later
#define _XOPEN_SOURCE 700
#include "cli/output.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/command.h"

#define WIDTH_DEFAULT 80u

void cli_output_prepare(void)
{
    for (int fd = 0; fd <= 2; fd++) {
        if (fcntl(fd, F_GETFD) == -1 && errno == EBADF) {
            // Opened for the other direction, so that a later write fails as it should.
            int opened = open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);

            if (opened > fd) {
                (void)close(opened);
            }
        }
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
}

static int output_failed(int error)
{
    cli_complain("cannot write to standard output: %s", strerror(error));
    return CLI_OUTSIDE;
}

int cli_output_result(const struct results_text *text)
{
    int error = results_text_write(text, STDOUT_FILENO);

    return error == 0 ? CLI_DONE : output_failed(error);
}

int cli_output_finish_stdio(bool failed)
{
    int error = failed ? errno : 0;

    if (fflush(stdout) != 0 && error == 0) {
        error = errno;
    }
    if (!failed && error == 0 && ferror(stdout) == 0) {
        return CLI_DONE;
    }
    return output_failed(error != 0 ? error : EIO);
}

int cli_output_close(void)
{
    return close(STDOUT_FILENO) == 0 || errno == EBADF ? CLI_DONE : output_failed(errno);
}

void cli_complain(const char *format, ...)
{
    struct results_text line;
    char message[1024];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    results_text_init(&line);
    results_text_format(&line, "recoup: %s\n", message);
    // There is nobody left to tell when standard error fails.
    (void)results_text_write(&line, STDERR_FILENO);
    results_text_release(&line);
}

void cli_complain_lines(struct results_text *lines)
{
    const char *line = results_text_string(lines);

    while (*line != '\0') {
        size_t size = strcspn(line, "\n");

        cli_complain("%.*s", (int)size, line);
        line += size + (line[size] == '\n' ? 1 : 0);
    }
}

void cli_complain_input(const struct scenario_message *messages, uint32_t n_messages,
                        const char *severity)
{
    struct results_text text;

    results_text_init(&text);
    for (uint32_t i = 0; i < n_messages; i++) {
        char buffer[2048];
        size_t size = scenario_message_format(&messages[i], severity, buffer, sizeof(buffer));

        size = size < sizeof(buffer) ? size : sizeof(buffer) - 1;
        results_text_bytes(&text, buffer, size);
        if (size > 0 && buffer[size - 1] != '\n') {
            results_text_char(&text, '\n');
        }
    }
    (void)results_text_write(&text, STDERR_FILENO);
    results_text_release(&text);
}

static bool environment_set(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0';
}

// From the environment's text alone: setlocale would change how numbers are printed.
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = getenv(names[i]);

        if (value != NULL && value[0] != '\0') {
            return strstr(value, "UTF-8") != NULL || strstr(value, "utf8") != NULL ||
                   strstr(value, "utf-8") != NULL || strstr(value, "UTF8") != NULL;
        }
    }
    return false;
}

uint32_t cli_width(uint32_t elsewhere)
{
    struct winsize size;

    if (isatty(STDOUT_FILENO) == 1 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
        size.ws_col > 0) {
        return size.ws_col;
    }
    return elsewhere;
}

void cli_style(struct results_style *style, const char *color)
{
    const char *terminal = getenv("TERM");
    bool dumb = terminal != NULL && strcmp(terminal, "dumb") == 0;
    bool on_terminal = isatty(STDOUT_FILENO) == 1;

    style->width = cli_width(WIDTH_DEFAULT);
    style->utf8 = locale_is_utf8() && !(dumb && on_terminal);
    if (color != NULL && strcmp(color, "always") == 0) {
        style->color = true;
    } else if (color != NULL && strcmp(color, "never") == 0) {
        style->color = false;
    } else {
        style->color = on_terminal && !dumb && !environment_set("NO_COLOR");
    }
}
