#include "tests/support/child_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

namespace keel::tests {

namespace {

constexpr int kSignalExitBase = 128;  // as shells do
constexpr int kCannotStart = 126;

}  // namespace

ChildProcess::ChildProcess(const std::vector<std::string>& arguments, const std::string& directory,
                           const std::vector<std::string>& environment) {
    // All memory is had before the fork: between fork and exec only system calls are made.
    std::vector<char*> argument_pointers;
    for (const std::string& argument : arguments)
        argument_pointers.push_back(const_cast<char*>(argument.c_str()));
    argument_pointers.push_back(nullptr);
    std::vector<char*> environment_pointers;
    for (const std::string& variable : environment)
        environment_pointers.push_back(const_cast<char*>(variable.c_str()));
    for (char** variable = environ; *variable != nullptr; ++variable) {
        const std::string_view name(*variable, std::string_view(*variable).find('='));
        bool is_set = false;
        for (const std::string& given : environment)
            is_set = is_set || std::string_view(given).substr(0, given.find('=')) == name;
        if (!is_set) environment_pointers.push_back(*variable);
    }
    environment_pointers.push_back(nullptr);
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0)
        throw std::system_error(errno, std::generic_category(), "pipe2");
    pid_ = fork();
    if (pid_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ == 0) {
        dup2(ends[1], STDOUT_FILENO);
        dup2(ends[1], STDERR_FILENO);
        if (!directory.empty() && chdir(directory.c_str()) != 0) _exit(kCannotStart);
        execve(argument_pointers[0], argument_pointers.data(), environment_pointers.data());
        _exit(kCannotStart);
    }
    close(ends[1]);
    from_child_ = ends[0];
}

ChildProcess::~ChildProcess() {
    if (!exit_code_) {
        signal(SIGKILL);
        wait();
    }
    close(from_child_);
}

bool ChildProcess::read_some() {
    std::array<char, 4096> piece{};
    const ssize_t got = read(from_child_, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) return true;
    if (got <= 0) return false;
    output_.append(piece.data(), static_cast<size_t>(got));
    return true;
}

bool ChildProcess::wait_for_line(std::string_view line) {
    for (;;) {
        for (size_t end = output_.find('\n', looked_at_); end != std::string::npos;
             end = output_.find('\n', looked_at_)) {
            const std::string_view seen =
                std::string_view(output_).substr(looked_at_, end - looked_at_);
            looked_at_ = end + 1;
            if (seen == line) return true;
        }
        if (!read_some()) return false;
    }
}

bool ChildProcess::wait_for_text(std::string_view text) {
    for (;;) {
        const size_t at = output_.find(text, looked_at_);
        if (at != std::string::npos) {
            looked_at_ = at + text.size();
            return true;
        }
        if (!read_some()) return false;
    }
}

void ChildProcess::signal(int number) const {
    kill(pid_, number);
}

int ChildProcess::wait() {
    if (exit_code_) return *exit_code_;
    while (read_some()) {
    }
    int status = 0;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    exit_code_ = WIFEXITED(status) ? WEXITSTATUS(status) : kSignalExitBase + WTERMSIG(status);
    return *exit_code_;
}

}  // namespace keel::tests
