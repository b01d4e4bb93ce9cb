#pragma once

// Every database that this process has open on disk.
//
// R1  One directory (canonical path, device, inode) has one store, however many handles.
// R2  The last handle saves, closes, and gives the lock back; until that is done nobody opens anew.
// R3  However the process ends but by SIGKILL, power or a failed assertion, close_all() has run.
// R4  What a thread has open and could commit is committed when that thread ends the process by
//     std::exit (OpenWork).
//
// Any thread. One mutex orders opening and closing; it is held while a store saves, so that there
// is never a moment with two stores of one directory.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/files.hpp"
#include "db/open.hpp"
#include "node/lock.hpp"

namespace keel::node {

/// An open store and what it holds of its directory.
struct OpenStore {
    std::unique_ptr<core::FileSystem> own_files;  // first: the files below close through it
    std::string path;                             // canonical
    core::File directory;  // open, so that the inode cannot become another directory's
    core::FileInfo identity;
    db::Backend backend = db::Backend::Mem;
    db::Access access = db::Access::ReadWrite;
    db::Durability durability = db::Durability::Close;
    db::Schema schema;
    DirectoryLock lock;  // not held by a reader
    db::Database database;
    uint64_t handles = 0;
    bool closed = false;
};

class Registry {
  public:
    using Opener = std::function<std::shared_ptr<OpenStore>()>;

    /// The process' own: the one mutable global of the program.
    static Registry& process();

    /// A handle of the store that `find` accepts, else of the one that `open` makes.
    db::Database acquire(const std::function<bool(const OpenStore&)>& find, const Opener& open);
    /// Closes every store, newest first, each once; returns the first fault. Handles answer Closed
    /// afterwards.
    std::optional<core::Fault> close_all() noexcept;
    size_t size() const;

    /// A thread's unfinished work on a store, while it lives. `commit` is called if that thread
    /// ends the process by std::exit, before the stores close: nothing unwinds then.
    class OpenWork {
      public:
        OpenWork(Registry& registry, std::function<void()> commit);
        ~OpenWork();
        OpenWork(const OpenWork&) = delete;
        OpenWork& operator=(const OpenWork&) = delete;

      private:
        friend class Registry;
        Registry& registry_;
        std::function<void()> commit_;
        std::thread::id thread_;
    };
    /// Commits what the calling thread has open; returns the first fault.
    std::optional<core::Fault> commit_open_work() noexcept;

    /// Gives one handle back; the last one closes. Throws what closing throws.
    void release(const std::shared_ptr<OpenStore>& store);

  private:
    void close_store(OpenStore& store);

    mutable std::mutex mutex_;
    std::vector<std::shared_ptr<OpenStore>> stores_;  // in the order of opening
    std::mutex works_mutex_;
    std::vector<OpenWork*> works_;
    pid_t owner_ = -1;  // a child after fork closes nothing
    bool at_exit_ = false;
};

}  // namespace keel::node
