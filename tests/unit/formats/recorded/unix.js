WScript.Echo("one");
