#include "node/runners/suite.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <iterator>
#include <mutex>
#include <thread>

namespace keel::node::runners {
namespace {

struct Piece {
    size_t member;
    size_t index;
};

/// A file whose tests run, or have run. Its place in OpenFiles is its turn to be told.
struct OpenFile {
    std::filesystem::path path;
    std::unique_ptr<FixtureFile> fixture;
    std::vector<Piece> pieces;
    std::vector<std::vector<CaseResult>> results;  // one a piece
    size_t next = 0;                               // first piece that nobody has taken
    size_t running = 0;                            // pieces that are taken and not done
    size_t other_members = 0;
    bool opened = false;  // `pieces` is complete

    bool done() const noexcept { return opened && next == pieces.size() && running == 0; }
};

/// Hands out pieces: of a file that is open, else of the next one, which the thread that asks
/// parses first. Any thread.
class Queue {
  public:
    Queue(core::FileSystem& files, const std::vector<std::filesystem::path>& paths,
          const Suite& suite, const std::function<void(FileReport&)>& on_file)
        : files_(files), suite_(suite), on_file_(on_file) {
        open_.resize(paths.size());
        for (size_t i = 0; i < paths.size(); ++i) open_[i].path = paths[i];
    }

    /// The body of a thread.
    void work() {
        const std::unique_ptr<Runner> runner = suite_.make_runner();
        std::unique_lock lock(mutex_);
        while (!stopped_) {
            if (OpenFile* const file = with_piece()) {
                run_piece(*runner, *file, lock);
            } else if (next_file_ < open_.size()) {
                open_next(lock);
            } else if (opening_ > 0) {
                opened_.wait(lock);
                continue;
            } else {
                break;
            }
            tell(lock);
        }
    }

    /// All threads end after the test that they run.
    void stop() {
        const std::scoped_lock lock(mutex_);
        stopped_ = true;
        opened_.notify_all();
    }

  private:
    OpenFile* with_piece() {
        // Files before first_open_ have no piece left.
        for (size_t i = first_open_; i < next_file_; ++i) {
            OpenFile& file = open_[i];
            if (file.opened && file.next < file.pieces.size()) return &file;
            if (file.opened && i == first_open_) ++first_open_;
        }
        return nullptr;
    }

    void open_next(std::unique_lock<std::mutex>& lock) {
        OpenFile& file = open_[next_file_++];
        ++opening_;
        lock.unlock();
        open(file);
        lock.lock();
        file.opened = true;
        --opening_;
        opened_.notify_all();
    }

    void open(OpenFile& file) {
        try {
            file.fixture = std::make_unique<FixtureFile>(files_, file.path);
            const auto& members = file.fixture->members();
            file.other_members = file.fixture->other_members();
            for (size_t i = 0; i < members.size(); ++i) {
                const std::optional<size_t> count = suite_.pieces(members[i]);
                if (!count) ++file.other_members;
                for (size_t k = 0; k < count.value_or(0); ++k) file.pieces.push_back({i, k});
            }
            file.results.resize(file.pieces.size());
        } catch (const core::Fault& fault) {
            file.pieces.clear();
            file.results.assign(1, {failure(file.path.string(), fault.message())});
        }
    }

    void run_piece(Runner& runner, OpenFile& file, std::unique_lock<std::mutex>& lock) {
        const size_t at = file.next++;
        ++file.running;
        lock.unlock();
        const Piece piece = file.pieces[at];
        const FixtureFile::Member& member = file.fixture->members()[piece.member];
        try {
            runner.run(member, piece.index, file.results[at]);
        } catch (const std::exception& error) {
            file.results[at].push_back(failure(std::string(member.name), error.what()));
        }
        lock.lock();
        --file.running;
    }

    static CaseResult failure(std::string name, std::string error) {
        CaseResult result;
        result.name = std::move(name);
        result.outcome = Outcome::Failed;
        result.error = std::move(error);
        return result;
    }

    /// Tells the files whose turn it is; one thread at a time, which others do not wait for.
    void tell(std::unique_lock<std::mutex>& lock) {
        if (telling_) return;
        telling_ = true;
        while (next_told_ < next_file_ && open_[next_told_].done()) {
            OpenFile& file = open_[next_told_++];
            const std::unique_ptr<FixtureFile> fixture = std::move(file.fixture);
            std::vector<std::vector<CaseResult>> results = std::move(file.results);
            lock.unlock();
            FileReport report{file.path, {}, file.other_members};
            for (auto& cases : results) {
                std::ranges::move(cases, std::back_inserter(report.cases));
            }
            on_file_(report);
            lock.lock();
        }
        telling_ = false;
    }

    core::FileSystem& files_;
    const Suite& suite_;
    const std::function<void(FileReport&)>& on_file_;
    std::mutex mutex_;  // of all below; not held while a file is parsed, run or told
    std::vector<OpenFile> open_;
    size_t next_file_ = 0;
    size_t first_open_ = 0;
    size_t next_told_ = 0;
    size_t opening_ = 0;              // threads that parse a file
    std::condition_variable opened_;  // one of them is done
    bool telling_ = false;
    bool stopped_ = false;
};

bool is_directory(core::FileSystem& files, const std::filesystem::path& path) {
    const auto info = core::file_info(files, path);
    if (!info) {
        throw core::Fault(core::FaultKind::Usage, fmt::format("{}: no such file", path.string()));
    }
    return info->is_directory;
}

void walk(core::FileSystem& files, const std::filesystem::path& directory,
          std::vector<std::filesystem::path>& found) {
    std::vector<std::string> names = core::list_directory(files, directory);
    std::ranges::sort(names);
    for (const std::string& name : names) {
        // Hidden folders hold indexes of the files, no tests.
        if (name.starts_with('.')) continue;
        const std::filesystem::path path = directory / name;
        if (is_directory(files, path)) {
            walk(files, path, found);
        } else if (path.extension() == ".json") {
            found.push_back(path);
        }
    }
}

}  // namespace

std::vector<std::filesystem::path> find_fixtures(core::FileSystem& files,
                                                 const std::vector<std::filesystem::path>& paths) {
    std::vector<std::filesystem::path> found;
    for (const std::filesystem::path& path : paths) {
        if (is_directory(files, path)) {
            walk(files, path, found);
        } else {
            found.push_back(path);
        }
    }
    return found;
}

void run_suite(core::FileSystem& files, const std::vector<std::filesystem::path>& paths,
               const Suite& suite, unsigned workers,
               const std::function<void(FileReport&)>& on_file) {
    Queue queue(files, paths, suite, on_file);
    std::exception_ptr fault;
    std::mutex fault_mutex;
    {
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < std::max(workers, 1u); ++i) {
            threads.emplace_back([&] {
                try {
                    queue.work();
                } catch (...) {
                    queue.stop();
                    const std::scoped_lock lock(fault_mutex);
                    fault = std::current_exception();
                }
            });
        }
    }
    if (fault) std::rethrow_exception(fault);
}

}  // namespace keel::node::runners
