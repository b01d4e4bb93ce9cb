#pragma once

// The words of the command line, for hints and for the completion of shells.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace keel::cmd {

/// A command, what may stand behind it, and the commands below it.
struct CommandWords {
    std::string path;  // e.g. "db get"; empty: the program itself
    std::vector<std::string> flags;
    std::vector<std::string> commands;
};

/// The word that `word` was probably meant to be: at most a third of its letters are missing,
/// wrong, too many or exchanged. None: none is that near.
std::optional<std::string> nearest_word(std::string_view word, std::span<const std::string> words);

/// A script for bash that completes commands and flags, and names of files where none fit.
std::string bash_completion(std::span<const CommandWords> commands);

}  // namespace keel::cmd
