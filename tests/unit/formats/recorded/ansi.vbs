WScript.Echo "grьяe"
