console.log("a small program")
