// What a first visit loads, as one file: every page that comes later imports this, so that the bundler does not cut what pages
// share into a file for each combination of them. web/build refuses a first visit of many files.
import "react-dom/client"
import "./app/Palette"
import "./views/Home"
import "./views/Login"
import "./views/RunPage"
import "./views/RunTable"
import "./views/Workspace"
