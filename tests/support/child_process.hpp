#pragma once

// Starts a program, reads what it prints, sends it signals and waits for its end.

#include <sys/types.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keel::tests {

class ChildProcess {
  public:
    /// arguments[0] is the program's path; `directory` its working directory, `environment` what is
    /// set besides the own one ("NAME=value").
    explicit ChildProcess(const std::vector<std::string>& arguments,
                          const std::string& directory = {},
                          const std::vector<std::string>& environment = {});
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;
    /// Kills what still runs.
    ~ChildProcess();

    pid_t pid() const noexcept { return pid_; }
    /// Reads until a line is `line`; false: the output ended without it.
    bool wait_for_line(std::string_view line);
    /// Reads until `text` has come since the last wait; false: the output ended without it.
    bool wait_for_text(std::string_view text);
    void signal(int number) const;
    /// Reads the rest of the output and waits; 128 + N after signal N.
    int wait();
    /// Standard output and error so far, mixed as they came.
    const std::string& output() const noexcept { return output_; }

  private:
    bool read_some();

    pid_t pid_ = -1;
    int from_child_ = -1;
    std::string output_;
    size_t looked_at_ = 0;  // bytes of output_ that the waits have seen
    std::optional<int> exit_code_;
};

}  // namespace keel::tests
