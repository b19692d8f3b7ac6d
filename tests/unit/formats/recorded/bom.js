WScript.Echo("grüße");
